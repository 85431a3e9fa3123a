"""The SageMaker model that scores texts in batch transforms."""

import hashlib
from pathlib import Path

from aws_cdk import ArnFormat, CfnDeletionPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import (
    allow,
    list_bucket,
    put_objects,
    read_objects,
    write_with_key,
)
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.prebuilt_image import image_uri, pull_image
from infra.constructs.published_file import PublishedFile
from infra.packaging import (
    digest_of,
    install_wheels,
    model_archive_files,
    requirements_file,
    write_tar_gz,
)

# Batch transform logs where it wants to; the name cannot be chosen.
TRANSFORM_LOG_GROUP = "/aws/sagemaker/TransformJobs"


# The image's Python and its Linux, Ubuntu 22.04 with glibc 2.35.
IMAGE_PYTHON = "3.12"
WHEEL_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")


class SentimentModel(Construct):
    """Model archive, role and model, in network isolation."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        artifacts: s3.IBucket,
        staging: Path,
    ) -> None:
        super().__init__(scope, id)
        members, digest = _archive(self, staging)
        archive = PublishedFile(
            self,
            "Archive",
            content=write_tar_gz(members, staging / "model.tar.gz"),
            digest=digest,
            suffix=".tar.gz",
        )
        self.role = self._role(config, key, artifacts, archive)
        image = image_uri(self, config.ml, config.ml.image_repository, config.ml.image_tag)
        # CloudFormation replaces a model when anything about it changes, so its name cannot be
        # exported to the state machine: an export in use may not change. A name made from the
        # content is known on both sides at synthesis, and is new whenever the model is.
        recipe = f"{digest} {config.ml.image_repository}:{config.ml.image_tag}"
        short = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        self.model_name = f"voxlake-{config.stage}-sentiment-{short}"
        self.model = sagemaker.CfnModel(
            self,
            "Model",
            model_name=self.model_name,
            execution_role_arn=self.role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image,
                model_data_url=archive.url,
                environment={
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                    "SAGEMAKER_MODEL_SERVER_WORKERS": str(config.ml.transform_concurrency),
                    # The server's default of 60 is too near to what a payload may take.
                    "SAGEMAKER_MODEL_SERVER_TIMEOUT": "600",
                },
            ),
        )
        # A run under way and a rollback still find the model before; models cost nothing.
        self.model.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        self.model.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE

    def _role(
        self,
        config: StageConfig,
        key: kms.IKey,
        artifacts: s3.IBucket,
        archive: PublishedFile,
    ) -> iam.Role:
        stack = Stack.of(self)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        read_objects(artifacts, role, "scoring/")
        put_objects(artifacts, role, "scoring/")
        write_with_key(key, role)
        list_bucket(archive.bucket, role)
        allow(role, ["s3:GetObject"], [archive.arn])
        pull_image(role, config.ml, config.ml.image_repository)
        group = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=TRANSFORM_LOG_GROUP,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        if config.ml.creates_transform_log_group:
            encrypted_log_group(
                self,
                "Logs",
                key=key,
                retention_days=config.log_retention_days,
                name=TRANSFORM_LOG_GROUP,
            )
        else:
            actions.append("logs:CreateLogGroup")
        allow(role, actions, [f"{group}:*"])
        allow(
            role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        )
        return role


def _archive(scope: Construct, staging: Path) -> tuple[list[tuple[str, Path]], str]:
    """The archive's members, and the digest that names it.

    The image lacks what runs the encoder, and network isolation forbids pip: the archive brings the
    locked packages. Where bundling is off (the laptop) the host's serve; the digest comes from the
    lock file, so the template is the same either way.
    """
    requirements = requirements_file("inference")
    bare = model_archive_files()
    recipe = f"{digest_of(bare)} {requirements.read_text()} {' '.join(WHEEL_PLATFORMS)}"
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    if not Stack.of(scope).bundling_required:
        return bare, digest
    packages = staging / "model-packages"
    install_wheels(requirements, packages, python=IMAGE_PYTHON, platforms=WHEEL_PLATFORMS)
    return model_archive_files(packages), digest
