"""What becomes of data when its stack goes."""

from aws_cdk import RemovalPolicy


def removal_policy(retains_data: bool) -> RemovalPolicy:
    """What happens to data when its stack is deleted.

    CloudFormation deletes only empty buckets. Emptying them on deletion would take a
    Lambda-backed custom resource with the right to delete everything, so a stage that destroys
    its data is emptied by `python -m infra.purge` before `cdk destroy`.
    """
    return RemovalPolicy.RETAIN if retains_data else RemovalPolicy.DESTROY
