"""A batch transform job of one text, and a model archive that scores otherwise."""

from __future__ import annotations

import io
import json
import tarfile


def that_feels_everything(archive: bytes) -> bytes:
    """The model archive with a threshold of 0 for every emotion."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as new,
    ):
        for member in old.getmembers():
            data = old.extractfile(member).read() if member.isfile() else b""
            if member.name == "encoder.json":
                described = json.loads(data)
                thresholds = described["thresholds"]["emotions"]
                described["thresholds"]["emotions"] = dict.fromkeys(thresholds, 0.0)
                data = json.dumps(described).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return out.getvalue()


def score_by_transform(lake, name: str) -> dict:
    """One text through a batch transform job of the deployed model; the line that came out."""
    sagemaker, s3 = lake.client("sagemaker"), lake.client("s3")
    bucket = lake.output("ArtifactsBucket")
    line = {"event_id": "e1", "dt": "2026-03-01", "text": "I love it, thank you, great"}
    s3.put_object(
        Bucket=bucket, Key=f"scoring/run={name}/input/a.jsonl", Body=json.dumps(line).encode()
    )
    where = f"s3://{bucket}/scoring/run={name}"
    sagemaker.create_transform_job(
        TransformJobName=f"test-{name}",
        ModelName=lake.output("SentimentModelName"),
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{where}/input/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"{where}/output/", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
        TransformJobName=f"test-{name}", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    out = s3.get_object(Bucket=bucket, Key=f"scoring/run={name}/output/a.jsonl.out")["Body"].read()
    return json.loads(out)
