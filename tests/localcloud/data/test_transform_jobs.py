"""Batch transform under the toolkit's contract."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.data.conftest import wait_for

INFERENCE = """
import json, os, socket, sys

def model_fn(model_dir):
    print("loaded from", model_dir)
    with open(os.path.join(model_dir, "factor.json")) as file:
        return json.load(file)

def input_fn(body, content_type):
    assert content_type == "application/jsonlines", content_type
    return [json.loads(line) for line in body.splitlines()]

def predict_fn(rows, model):
    answers = []
    for row in rows:
        if row.get("fail"):
            raise ValueError("cannot score " + str(row["id"]))
        if row.get("probe"):
            row["aws"] = sorted(n for n in os.environ if n.startswith("AWS_"))
            try:
                socket.create_connection(("127.0.0.1", 9), timeout=1)
            except PermissionError as error:
                row["network"] = "refused"
            except OSError:
                row["network"] = "open"
            row["environment"] = [os.environ.get("MODE"), os.environ["SM_MODEL_DIR"] ==
                                  os.path.dirname(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"])]
        answers.append({**row, "score": row["id"] * model["factor"], "batch": len(rows)})
    return answers

def output_fn(answers, accept):
    return "\\n".join(json.dumps(a) for a in answers)
"""


def archive(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.fixture(scope="module")
def model(client: Callable[[str], Any], create_role: Callable[..., str]) -> str:
    client("s3").put_object(
        Bucket="lake",
        Key="models/model.tar.gz",
        Body=archive({"code/inference.py": INFERENCE, "factor.json": '{"factor": 10}'}),
    )
    client("sagemaker").create_model(
        ModelName="scorer",
        ExecutionRoleArn=create_role("transform", "s3:*"),
        EnableNetworkIsolation=True,
        PrimaryContainer={
            "Image": "prebuilt",
            "ModelDataUrl": "s3://lake/models/model.tar.gz",
            "Environment": {"MODE": "batch", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        },
    )
    return "scorer"


@pytest.fixture
def transform(client: Callable[[str], Any], model: str) -> Callable[..., dict[str, Any]]:
    def run(name: str, source: str, *, model_name: str = model, **options: Any) -> dict[str, Any]:
        sagemaker = client("sagemaker")
        given = {
            "TransformJobName": name,
            "ModelName": model_name,
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
                "CompressionType": options.pop("compression", "None"),
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://lake/out/{name}/",
                "Accept": "application/jsonlines",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        sagemaker.create_transform_job(**(given | options))
        return wait_for(
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda job: job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    return run


def lines(client: Callable[[str], Any], key: str) -> list[dict[str, Any]]:
    body = client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def test_each_input_file_gets_its_scores_in_a_file_beside_it(client, transform) -> None:
    s3 = client("s3")
    s3.put_object(Bucket="lake", Key="in/a/part-0.jsonl", Body=b'{"id": 1}\n{"id": 2}\n\n')
    s3.put_object(Bucket="lake", Key="in/a/sub/part-1.jsonl", Body=b'{"id": 3}')

    job = transform("both", "s3://lake/in/a/")

    assert job["TransformJobStatus"] == "Completed"
    assert job["ModelName"] == "scorer"
    assert lines(client, "out/both/part-0.jsonl.out") == [
        {"id": 1, "score": 10, "batch": 2},
        {"id": 2, "score": 20, "batch": 2},
    ]
    assert lines(client, "out/both/sub/part-1.jsonl.out") == [{"id": 3, "score": 30, "batch": 1}]


def test_gzip_is_read(client, transform) -> None:
    client("s3").put_object(
        Bucket="lake", Key="in/gz/x.jsonl.gz", Body=gzip.compress(b'{"id": 1}\n{"id": 2}\n')
    )

    transform("gzip", "s3://lake/in/gz/x.jsonl.gz", compression="Gzip")

    assert [row["batch"] for row in lines(client, "out/gzip/x.jsonl.gz.out")] == [2, 2]


def test_a_payload_holds_no_more_than_its_limit(client, transform) -> None:
    body = "".join(json.dumps({"id": i, "pad": "x" * 400_000}) + "\n" for i in range(5))
    client("s3").put_object(Bucket="lake", Key="in/big/x.jsonl", Body=body.encode())

    transform("big", "s3://lake/in/big/", MaxPayloadInMB=1)

    assert [row["batch"] for row in lines(client, "out/big/x.jsonl.out")] == [2, 2, 2, 2, 1]


def test_an_isolated_model_has_neither_credentials_nor_network(client, transform) -> None:
    client("s3").put_object(Bucket="lake", Key="in/probe.jsonl", Body=b'{"id": 1, "probe": true}')

    transform("probe", "s3://lake/in/probe.jsonl")

    assert lines(client, "out/probe/probe.jsonl.out") == [
        {
            "id": 1,
            "probe": True,
            "aws": [],
            "network": "refused",
            "environment": ["batch", True],
            "score": 10,
            "batch": 1,
        }
    ]


def test_an_exception_of_the_model_fails_the_job_with_file_and_reason(client, transform) -> None:
    client("s3").put_object(Bucket="lake", Key="in/bad.jsonl", Body=b'{"id": 7, "fail": 1}')

    job = transform("bad", "s3://lake/in/bad.jsonl")

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: s3://lake/in/bad.jsonl: Bad HTTP status received from algorithm: 500: "
        "ValueError: cannot score 7"
    )


def test_a_missing_input_and_a_denied_role_fail_the_job(client, transform, create_role) -> None:
    job = transform("none", "s3://lake/in/nothing/")
    assert job["FailureReason"] == (
        'ClientError: No S3 objects found under S3 URL "s3://lake/in/nothing/" given in input data'
    )

    client("s3").put_object(Bucket="lake", Key="in/one.jsonl", Body=b'{"id": 1}')
    client("sagemaker").create_model(
        ModelName="denied",
        ExecutionRoleArn=create_role("no-rights"),
        PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://lake/models/model.tar.gz"},
    )
    job = transform("denied", "s3://lake/in/one.jsonl", model_name="denied")
    assert job["TransformJobStatus"] == "Failed"
    assert "AccessDenied" in job["FailureReason"]


def test_changing_the_archive_changes_the_scores(client, transform) -> None:
    s3 = client("s3")
    s3.put_object(
        Bucket="lake",
        Key="models/other.tar.gz",
        Body=archive({"code/inference.py": INFERENCE, "factor.json": '{"factor": -1}'}),
    )
    s3.put_object(Bucket="lake", Key="in/two.jsonl", Body=b'{"id": 2}')
    client("sagemaker").create_model(
        ModelName="other",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/transform",
        PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://lake/models/other.tar.gz"},
    )

    transform("other", "s3://lake/in/two.jsonl", model_name="other")

    assert lines(client, "out/other/two.jsonl.out") == [{"id": 2, "score": -2, "batch": 1}]


def test_a_stopped_job_ends_with_its_process(client, model) -> None:
    sagemaker, s3 = client("sagemaker"), client("s3")
    s3.put_object(
        Bucket="lake",
        Key="models/slow.tar.gz",
        Body=archive({"code/inference.py": "import time\ntime.sleep(60)\n"}),
    )
    s3.put_object(Bucket="lake", Key="in/one.jsonl", Body=b'{"id": 1}')
    sagemaker.create_model(
        ModelName="slow",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/transform",
        PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://lake/models/slow.tar.gz"},
    )
    sagemaker.create_transform_job(
        TransformJobName="slow",
        ModelName="slow",
        TransformInput={
            "SplitType": "Line",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/in/one.jsonl"}
            },
        },
        TransformOutput={"S3OutputPath": "s3://lake/out/slow", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    sagemaker.stop_transform_job(TransformJobName="slow")

    job = wait_for(
        lambda: sagemaker.describe_transform_job(TransformJobName="slow"),
        lambda j: j["TransformJobStatus"] != "Stopping",
    )
    assert job["TransformJobStatus"] == "Stopped"
    jobs = sagemaker.list_transform_jobs()["TransformJobSummaries"]
    assert jobs[0]["TransformJobName"] == "slow"


def test_a_name_is_used_once_and_unsupported_options_are_refused(client, transform) -> None:
    client("s3").put_object(Bucket="lake", Key="in/one.jsonl", Body=b'{"id": 1}')
    transform("twice", "s3://lake/in/one.jsonl")
    with pytest.raises(ClientError) as again:
        transform("twice", "s3://lake/in/one.jsonl")
    assert again.value.response["Error"]["Code"] == "ResourceInUse"
    for options, name in (
        ({"DataProcessing": {"JoinSource": "Input"}}, "DataProcessing"),
        ({"BatchStrategy": "SingleRecord"}, "BatchStrategy"),
    ):
        with pytest.raises(ClientError) as refused:
            transform("refused", "s3://lake/in/one.jsonl", **options)
        assert name in refused.value.response["Error"]["Message"]
