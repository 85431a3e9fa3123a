"""The lake's storage: one key, five buckets, the ledger, the pseudonym secret."""

import json

from aws_cdk import Aws, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.config import StorageConfig
from infra.constructs.closed_bucket import closed_bucket
from infra.constructs.removal import removal_policy
from infra.constructs.table import key_value_table


class LakeKey(Construct):
    """The one customer key, rotated yearly, that encrypts everything at rest."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig) -> None:
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description="voxlake: everything at rest",
            enable_key_rotation=True,
            pending_window=Duration.days(config.key_deletion_window_days),
            removal_policy=removal_policy(config.retains_data),
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogsEncryptsLogGroups",
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=[
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                    "kms:GenerateDataKey",
                    "kms:DescribeKey",
                ],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": (
                            f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
                        )
                    }
                },
            )
        )
        # Without this, messages of alarms and rules to the encrypted topic are dropped silently.
        # No source conditions: EventBridge does not send them everywhere, and a condition that
        # does not match drops messages just as silently.
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsAndRulesPublishToTheTopic",
                principals=[
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                    iam.ServicePrincipal("events.amazonaws.com"),
                    iam.ServicePrincipal("sns.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )


class Zones(Construct):
    """The five buckets: TLS only, versioned, closed to the public, encrypted with bucket keys."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self._config = config
        self._key = key
        self.landing = self._bucket(
            "Landing",
            s3.LifecycleRule(
                id="LandingRetention", expiration=Duration.days(config.landing_retention_days)
            ),
        )
        self.cleansed = self._bucket("Cleansed")
        self.analytics = self._bucket("Analytics")
        # Texts on their way to the model and back are copies: gone after a while.
        self.artifacts = self._bucket(
            "Artifacts",
            *(
                s3.LifecycleRule(
                    id=f"Expire-{prefix}",
                    prefix=f"{prefix}/",
                    expiration=Duration.days(config.scoring_retention_days),
                )
                for prefix in ("scoring", "glue-temp", "warehouse")
            ),
        )
        self.query_results = self._bucket(
            "QueryResults",
            s3.LifecycleRule(
                id="ResultRetention",
                expiration=Duration.days(config.query_results_retention_days),
            ),
        )

    def _bucket(self, id: str, *rules: s3.LifecycleRule) -> s3.Bucket:
        return closed_bucket(
            self,
            id,
            key=self._key,
            versioned=True,
            lifecycle_rules=[
                *rules,
                s3.LifecycleRule(
                    id="Housekeeping",
                    noncurrent_version_expiration=Duration.days(
                        self._config.noncurrent_retention_days
                    ),
                    abort_incomplete_multipart_upload_after=Duration.days(
                        self._config.incomplete_upload_days
                    ),
                ),
            ],
            removal_policy=removal_policy(self._config.retains_data),
        )


class Ledger(Construct):
    """The truth about landed objects, runs, versions and leases; no personal data in it."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        # Only leases have expires_at, so only leases are ever cleared away.
        self.table = key_value_table(
            self, config, key, partition_key="pk", sort_key="sk", expires="expires_at"
        )
        text = dynamodb.AttributeType.STRING
        # Sparse: an item has `pending_shard` only until it is processed.
        self.table.add_global_secondary_index(
            index_name="pending",
            partition_key=dynamodb.Attribute(name="pending_shard", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            projection_type=dynamodb.ProjectionType.ALL,
        )


class PseudonymKey(Construct):
    """The secret that makes pseudonyms: `{"key_id": "k1", "key": "<64 characters>"}`."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description="voxlake: key of the author pseudonyms; never rotated automatically, "
            "since a new key breaks every join with older rows",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"key_id": "k1"}),
                generate_string_key="key",
                password_length=64,
                exclude_punctuation=True,
            ),
            # Kept exactly as long as the rows whose pseudonyms it made, and as the key it needs.
            removal_policy=removal_policy(config.retains_data),
        )
