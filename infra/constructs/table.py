"""A DynamoDB table as every stage wants it: on demand, encrypted, recoverable."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import StorageConfig
from infra.constructs.removal import removal_policy


def key_value_table(
    scope: Construct,
    config: StorageConfig,
    key: kms.IKey,
    *,
    partition_key: str,
    sort_key: str | None = None,
    expires: str | None = None,
) -> dynamodb.Table:
    """The construct `Table` of a scope; its keys are texts, `expires` names a time to live."""
    text = dynamodb.AttributeType.STRING
    return dynamodb.Table(
        scope,
        "Table",
        partition_key=dynamodb.Attribute(name=partition_key, type=text),
        sort_key=dynamodb.Attribute(name=sort_key, type=text) if sort_key else None,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=expires,
        deletion_protection=config.retains_data,
        removal_policy=removal_policy(config.retains_data),
    )
