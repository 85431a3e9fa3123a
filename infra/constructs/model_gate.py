"""What prepares trainings, judges the models that they make, and moves `best`."""

import hashlib
from pathlib import Path

from aws_cdk import Aws
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import allow, list_bucket, put_objects, read_objects, write_with_key
from infra.constructs.lake_storage import Zones
from infra.constructs.model_training import PREFIX, ModelTraining
from infra.constructs.published_file import PublishedFile
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.packaging import digest_of, training_code_files, write_tar_gz

RESULTS = "athena/"
"""Prefix of what Athena answers, in the bucket of query results."""


class ModelGate(Construct):
    """The function, and the code that the trainings it prepares run."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        zones: Zones,
        training: ModelTraining,
        inference_image: str,
        staging: Path,
    ) -> None:
        super().__init__(scope, id)
        members = training_code_files()
        code = PublishedFile(
            self,
            "TrainingCode",
            content=write_tar_gz(members, staging / "sourcedir.tar.gz"),
            digest=hashlib.sha256(f"training {digest_of(members)}".encode()).hexdigest(),
            suffix=".tar.gz",
        )
        list_bucket(code.bucket, training.role)
        allow(training.role, ["s3:GetObject"], [code.arn])
        ml = config.ml
        # Besides what every function has: what the encoder needs, and what older models count by.
        layers = [
            DependencyLayer(self, name, staging=staging, requirements=requirements).layer
            for name, requirements in (("Models", "enricher"), ("Words", "glue"))
        ]
        self.function = PythonFunction(
            self,
            "ModelGate",
            name="model_gate",
            description="Prepares trainings; judges, registers and promotes what they made",
            config=config,
            key=key,
            layer=DependencyLayer(self, "Dependencies", staging=staging).layer,
            more_layers=layers,
            staging=staging,
            environment={
                "ARTIFACTS_BUCKET": zones.artifacts.bucket_name,
                "QUERY_RESULTS": f"s3://{zones.query_results.bucket_name}/{RESULTS}",
                "MODEL_GROUP_PREFIX": training.group_prefix,
                "INFERENCE_IMAGE": inference_image,
                "TRAINING_CODE": code.url,
                "KEY_ARN": key.key_arn,
                "TRAINING_ROLE_ARN": training.role.role_arn,
                "TRAINING_IMAGE": training.image,
                "TRAINING_INSTANCE_TYPE": ml.training_instance_type,
                "TRAINING_VOLUME_GB": str(ml.training_volume_gb),
                "TRAINING_MAX_MINUTES": str(ml.training_timeout_minutes),
                "TRAINING_SPOT_WAIT_MINUTES": str(ml.training_spot_wait_minutes),
            },
            # Two encoders and some thousand texts; more memory is more of a processor.
            memory_mib=3008,
            timeout_seconds=900,
        )
        role = self.function.role
        read_objects(zones.artifacts, role, PREFIX)
        put_objects(zones.artifacts, role, PREFIX)
        read_objects(zones.query_results, role, RESULTS)
        write_with_key(key, role)
        groups = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        versions = f"{groups}:model-package/{training.group_prefix}*"
        allow(
            role,
            ["sagemaker:CreateModelPackage"],
            [versions, f"{groups}:model-package-group/{training.group_prefix}*"],
        )
        allow(role, ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], [versions])
        # Listing knows no resources.
        allow(role, ["sagemaker:ListModelPackages"], ["*"])
