"""Empties the buckets of a stage that destroys its data, so that `cdk destroy` can delete them.

    python -m infra.purge --stage dev && npx cdk destroy --all -c stage=dev

CloudFormation deletes only empty buckets; see `infra.constructs.lake_storage.removal_policy`.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import boto3

from infra.config import StageConfig, load_stage
from infra.errors import RetainedDataError

BUCKET_OUTPUTS = {
    "storage": (
        "LandingBucket",
        "CleansedBucket",
        "AnalyticsBucket",
        "ArtifactsBucket",
        "QueryResultsBucket",
    ),
    "dashboard": ("DashboardBucket", "DashboardLogsBucket"),
    "airflow": ("AirflowBucket",),
}
# What DeleteObjects takes at once.
_BATCH = 1000


def purge(config: StageConfig, *, cloudformation: Any, s3: Any) -> dict[str, int]:
    """Deletes every version and delete marker in the stage's buckets.

    Args:
        cloudformation, s3: boto3 clients.

    Returns:
        Number of deleted versions by bucket name.

    Raises:
        RetainedDataError: the stage keeps its data; nothing is deleted.
    """
    if config.storage.retains_data:
        raise RetainedDataError(
            f"stage {config.stage} keeps its data: expected a stage with retains_data=False; "
            "empty its buckets by hand if you are sure"
        )
    names = []
    for stack in config.stacks:
        if keys := BUCKET_OUTPUTS.get(stack):
            named = cloudformation.describe_stacks(StackName=config.stack_name(stack))["Stacks"][0]
            outputs = {one["OutputKey"]: one["OutputValue"] for one in named["Outputs"]}
            names += [outputs[key] for key in keys]
    return {name: _empty(s3, name) for name in names}


def _empty(s3: Any, bucket: str) -> int:
    deleted = 0
    batch: list[dict[str, str]] = []
    for version in _versions(s3, bucket):
        batch.append(version)
        if len(batch) == _BATCH:
            deleted += _delete(s3, bucket, batch)
            batch = []
    return deleted + (_delete(s3, bucket, batch) if batch else 0)


def _versions(s3: Any, bucket: str) -> Iterator[dict[str, str]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            yield {"Key": item["Key"], "VersionId": item["VersionId"]}


def _delete(s3: Any, bucket: str, batch: list[dict[str, str]]) -> int:
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
    if errors := answer.get("Errors"):
        first = errors[0]
        raise RetainedDataError(
            f"{bucket}: {len(errors)} objects were not deleted, the first {first['Key']!r} with "
            f"{first['Code']}: {first['Message']}"
        )
    return len(batch)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.purge", description=__doc__)
    parser.add_argument("--stage", required=True)
    config = load_stage(parser.parse_args(argv).stage)
    counts = purge(config, cloudformation=boto3.client("cloudformation"), s3=boto3.client("s3"))
    for bucket, count in counts.items():
        print(f"{bucket}: {count} versions deleted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
