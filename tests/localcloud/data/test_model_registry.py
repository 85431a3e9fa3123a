"""Model package groups and their versions, as SageMaker's API has them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def sagemaker(client):
    return client("sagemaker")


def code_and_message(refused) -> tuple[str, str]:
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_versions_count_up_and_keep_what_they_were_given(sagemaker) -> None:
    sagemaker.create_model_package_group(
        ModelPackageGroupName="Encoder", ModelPackageGroupDescription="one encoder"
    )
    made = [
        sagemaker.create_model_package(
            ModelPackageGroupName="Encoder",
            ModelPackageDescription=f"run {number}",
            InferenceSpecification={
                "Containers": [{"Image": "i", "ModelDataUrl": f"s3://lake/{number}.tar.gz"}],
                "SupportedContentTypes": ["application/jsonlines"],
                "SupportedResponseMIMETypes": ["application/jsonlines"],
            },
            CustomerMetadataProperties={"model": f"encoder-{number}"},
        )["ModelPackageArn"]
        for number in (1, 2)
    ]
    assert made[1] == "arn:aws:sagemaker:us-east-1:123456789012:model-package/Encoder/2"

    sagemaker.update_model_package(
        ModelPackageArn=made[0],
        ModelApprovalStatus="Approved",
        ApprovalDescription="better by 2 points",
        CustomerMetadataProperties={"gate": "passed"},
    )

    package = sagemaker.describe_model_package(ModelPackageName=made[0])
    assert package["ModelPackageVersion"] == 1
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"] == {"model": "encoder-1", "gate": "passed"}
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == (
        "s3://lake/1.tar.gz"
    )
    listed = sagemaker.list_model_packages(ModelPackageGroupName="Encoder")
    assert [
        (row["ModelPackageVersion"], row["ModelApprovalStatus"])
        for row in listed["ModelPackageSummaryList"]
    ] == [(2, "PendingManualApproval"), (1, "Approved")]
    approved = sagemaker.list_model_packages(
        ModelPackageGroupName="Encoder", ModelApprovalStatus="Approved"
    )
    assert len(approved["ModelPackageSummaryList"]) == 1
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == ["Encoder"]
    group = sagemaker.describe_model_package_group(ModelPackageGroupName="Encoder")
    assert group["ModelPackageGroupDescription"] == "one encoder"


def test_a_deleted_versions_number_is_not_used_again(sagemaker) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="counting")
    first = sagemaker.create_model_package(ModelPackageGroupName="counting")["ModelPackageArn"]
    with pytest.raises(ClientError) as full:
        sagemaker.delete_model_package_group(ModelPackageGroupName="counting")
    assert code_and_message(full)[0] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=first)

    second = sagemaker.create_model_package(ModelPackageGroupName="counting")["ModelPackageArn"]

    assert second.endswith("counting/2")
    with pytest.raises(ClientError) as gone:
        sagemaker.describe_model_package(ModelPackageName=first)
    assert "does not exist" in code_and_message(gone)[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"SkipModelValidation": "All"}, "SkipModelValidation: not done"),
        ({"ModelApprovalStatus": "Maybe"}, "expected one of"),
        ({"CustomerMetadataProperties": {"why": "50% (better)"}}, "expected 1 to 256 letters"),
        ({"ModelPackageGroupName": "none"}, "none does not exist"),
    ],
)
def test_what_is_not_done_is_an_error(sagemaker, options, message) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model_package(**({"ModelPackageGroupName": "Encoder"} | options))
    assert code_and_message(refused)[0] == "ValidationException"
    assert message in code_and_message(refused)[1]
