"""A private bucket that holds the files of a folder, deployed with the template."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.closed_bucket import closed_bucket
from infra.constructs.grants import allow, list_bucket, put_objects, write_with_key
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.removal import removal_policy


class DeployedFolder(Construct):
    """The bucket, under the customer key, and the deployment of the files into it.

    Args:
        cache_control: what browsers are told of each file.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        folder: Path,
        cache_control: deployment.CacheControl | None = None,
    ) -> None:
        super().__init__(scope, id)
        # Made from the repository at each deployment, so nothing in it needs keeping.
        self.bucket = closed_bucket(
            self,
            "Bucket",
            key=key,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Housekeeping",
                    noncurrent_version_expiration=Duration.days(
                        config.storage.noncurrent_retention_days
                    ),
                )
            ],
            removal_policy=removal_policy(config.storage.retains_data),
        )
        logs = encrypted_log_group(self, "Logs", key=key, retention_days=config.log_retention_days)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        files = Asset(self, "Files", path=str(folder))
        allow(role, ["logs:CreateLogStream", "logs:PutLogEvents"], [logs.log_group_arn])
        allow(role, ["s3:GetObject"], [files.bucket.arn_for_objects(files.s3_object_key)])
        list_bucket(self.bucket, role)
        put_objects(self.bucket, role)
        allow(role, ["s3:DeleteObject"], [self.bucket.arn_for_objects("*")])
        write_with_key(key, role)
        self.deployment = deployment.BucketDeployment(
            self,
            "Deployment",
            sources=[deployment.Source.bucket(files.bucket, files.s3_object_key)],
            destination_bucket=self.bucket,
            cache_control=[cache_control] if cache_control else None,
            # What the construct would grant has wildcards for actions.
            role=role.without_policy_updates(),
            log_group=logs,
            memory_limit=512,
            output_object_keys=False,
        )
        self.deployment.node.add_dependency(role)
