"""AWS's prebuilt images: their address in whatever region the stack lands in, and pulling them."""

from aws_cdk import Aws, CfnMapping, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import MlConfig
from infra.constructs.grants import allow


def image_uri(scope: Construct, ml: MlConfig, repository: str, tag: str) -> str:
    """The address of an image.

    The template does not know its region: CloudFormation looks the account up, in one mapping a
    stack.
    """
    stack = Stack.of(scope)
    accounts = stack.node.try_find_child("ImageAccounts") or CfnMapping(
        stack,
        "ImageAccounts",
        mapping={
            region: {"account": account} for region, account in sorted(ml.image_accounts.items())
        },
    )
    assert isinstance(accounts, CfnMapping)
    account = accounts.find_in_map(Aws.REGION, "account")
    return f"{account}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{repository}:{tag}"


def pull_image(role: iam.IRole, ml: MlConfig, repository: str) -> None:
    """What pulling an image of one repository takes."""
    allow(role, ["ecr:GetAuthorizationToken"], ["*"])
    allow(
        role,
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        [
            f"arn:{Aws.PARTITION}:ecr:{Aws.REGION}:{account}:repository/{repository}"
            for account in sorted(set(ml.image_accounts.values()))
        ],
    )
