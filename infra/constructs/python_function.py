"""A Lambda function of ours: its code, its role, its log group."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.log_group import encrypted_log_group
from infra.packaging import (
    install_wheels,
    requirements_file,
    stage_function,
    stage_requirements,
)

RUNTIME = lambda_.Runtime.PYTHON_3_12
ARCHITECTURE = lambda_.Architecture.ARM_64
# Amazon Linux 2023, the image of Python 3.12, has glibc 2.34.
WHEEL_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux2014_aarch64")


class DependencyLayer(Construct):
    """A layer of a stack's functions: the locked wheels of `requirements/<requirements>.txt`.

    Where CDK's bundling is switched off (`aws:cdk:bundling-stacks: []`, as on the laptop) the
    layer is the folder with its `requirements.txt` alone. The asset hash comes from the lock
    file, so the template is the same either way. CDK's own bundling options are not used: they
    enter the hash, and they name a Docker image even where none is wanted.
    """

    def __init__(
        self, scope: Construct, id: str, *, staging: Path, requirements: str = "lambda"
    ) -> None:
        super().__init__(scope, id)
        lock = requirements_file(requirements)
        folder = staging / "layers" / requirements
        if not folder.exists():
            stage_requirements(requirements, folder)
        if Stack.of(self).bundling_required and not (folder / "python").exists():
            install_wheels(lock, folder / "python", python="3.12", platforms=WHEEL_PLATFORMS)
        recipe = lock.read_text() + " ".join(WHEEL_PLATFORMS)
        self.layer = lambda_.LayerVersion(
            self,
            "Layer",
            code=lambda_.Code.from_asset(
                str(folder), asset_hash=hashlib.sha256(recipe.encode()).hexdigest()
            ),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            description="voxlake: locked dependencies of the functions",
        )


class PythonFunction(Construct):
    """One function: handler `lambdas.<name>.handler.handler`, a role that may only log.

    What else the role may do is granted by the stack that owns the function.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        config: StageConfig,
        key: kms.IKey,
        layer: lambda_.ILayerVersion,
        more_layers: Sequence[lambda_.ILayerVersion] = (),
        models: Sequence[str] = (),
        folders: Sequence[str] = (),
        staging: Path,
        environment: Mapping[str, str],
        memory_mib: int,
        timeout_seconds: int,
    ) -> None:
        super().__init__(scope, id)
        self.service = name
        self.log_group = encrypted_log_group(
            self, "Logs", key=key, retention_days=config.log_retention_days
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # In place of AWSLambdaBasicExecutionRole, which may write to every log group.
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self.log_group.log_group_arn],
            )
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=lambda_.Code.from_asset(
                str(
                    stage_function(
                        name, staging / "functions" / name, models=models, folders=folders
                    )
                )
            ),
            handler=f"lambdas.{name}.handler.handler",
            layers=[layer, *more_layers],
            role=self.role,
            log_group=self.log_group,
            memory_size=memory_mib,
            timeout=Duration.seconds(timeout_seconds),
            environment={
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": config.metrics_namespace,
                "LOG_LEVEL": "INFO",
                **environment,
            },
        )
