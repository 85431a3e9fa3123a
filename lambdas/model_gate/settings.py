"""What model_gate reads from its environment."""

from __future__ import annotations

from pydantic import Field

from lambdas.common.settings import FunctionSettings
from voxlake.training.job import JobSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        artifacts_bucket: name of the bucket of data, code and models.
        query_results: URI of the prefix under which Athena leaves results.
        group_prefix: of model package groups, before the model's name.
        inference_image: serves registered models.
        training_code: URI of what training jobs run, published with the template.
        key_arn: encrypts what training jobs write, and their volumes.
        role_arn, image, instance_type, volume_gb, max_minutes, wait_minutes: of training jobs.
    """

    artifacts_bucket: str = Field(alias="ARTIFACTS_BUCKET", min_length=3)
    query_results: str = Field(alias="QUERY_RESULTS", pattern="^s3://.*/$")
    group_prefix: str = Field(alias="MODEL_GROUP_PREFIX", min_length=2)
    inference_image: str = Field(alias="INFERENCE_IMAGE", min_length=3)
    training_code: str = Field(alias="TRAINING_CODE", pattern="^s3://")
    key_arn: str = Field(alias="KEY_ARN", min_length=3)
    role_arn: str = Field(alias="TRAINING_ROLE_ARN", min_length=20)
    image: str = Field(alias="TRAINING_IMAGE", min_length=3)
    instance_type: str = Field(alias="TRAINING_INSTANCE_TYPE", min_length=3)
    volume_gb: int = Field(alias="TRAINING_VOLUME_GB", ge=1)
    max_minutes: int = Field(alias="TRAINING_MAX_MINUTES", ge=1)
    wait_minutes: int = Field(alias="TRAINING_SPOT_WAIT_MINUTES", ge=0)

    @property
    def job(self) -> JobSettings:
        """What the jobs share."""
        return JobSettings(
            bucket=self.artifacts_bucket,
            role_arn=self.role_arn,
            image=self.image,
            key_arn=self.key_arn,
            instance_type=self.instance_type,
            volume_gb=self.volume_gb,
            max_minutes=self.max_minutes,
            wait_minutes=self.wait_minutes,
        )
