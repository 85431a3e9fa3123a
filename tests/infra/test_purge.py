"""Emptying a stage that destroys its data, against moto."""

from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from infra.config import ApiConfig, load_stage
from infra.errors import RetainedDataError
from infra.purge import BUCKET_OUTPUTS, purge


@pytest.fixture
def clients(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield {
            name: boto3.client(name, region_name="us-east-1") for name in ("cloudformation", "s3")
        }


class FakeStacks:
    """Answers describe_stacks with the outputs of the stacks that have buckets."""

    def __init__(self, buckets):
        self._buckets = buckets

    def describe_stacks(self, *, StackName):
        keys = BUCKET_OUTPUTS[StackName.removeprefix("voxlake-dev-")]
        outputs = [{"OutputKey": k, "OutputValue": self._buckets[k]} for k in keys]
        return {"Stacks": [{"Outputs": outputs}]}


@pytest.mark.parametrize(
    ("api", "stacks"),
    [
        (ApiConfig(), ["storage"]),
        (
            ApiConfig(jwt_issuer="https://i.example.com", jwt_audience=("a",)),
            ["storage", "dashboard"],
        ),
    ],
    ids=["without a page", "with a page"],
)
def test_every_version_and_delete_marker_goes(clients, api, stacks):
    s3 = clients["s3"]
    keys = [key for stack in stacks for key in BUCKET_OUTPUTS[stack]]
    buckets = {key: f"voxlake-test-{key.lower()}" for key in keys}
    for bucket in buckets.values():
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    landing = buckets["LandingBucket"]
    for body in (b"one", b"two"):
        s3.put_object(Bucket=landing, Key="post/a", Body=body)
    s3.delete_object(Bucket=landing, Key="post/a")
    config = replace(load_stage("dev"), api=api)
    counts = purge(config, cloudformation=FakeStacks(buckets), s3=s3)
    assert counts == {bucket: 3 if bucket == landing else 0 for bucket in buckets.values()}
    for bucket in buckets.values():
        # S3 deletes empty buckets only.
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("stage", ["prod", "full"])
def test_a_stage_that_keeps_its_data_is_refused(clients, stage):
    with pytest.raises(RetainedDataError) as error:
        purge(load_stage(stage), **clients)
    assert str(error.value).startswith(f"stage {stage} keeps its data")


def test_retention_decides_and_not_the_name(clients):
    config = load_stage("dev")
    kept = replace(config, storage=replace(config.storage, retains_data=True))
    with pytest.raises(RetainedDataError):
        purge(kept, **clients)
