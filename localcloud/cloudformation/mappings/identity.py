"""IAM and KMS."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::IAM::Role")
def role(r: Resource) -> Result:
    name, trust = r.name(None, 64), r.require("AssumeRolePolicyDocument")
    settings = r.same("Tags")
    r.done()
    made = r.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust, **settings)
    return name, {"Arn": made["Role"]["Arn"]}


@maps("AWS::IAM::Policy", in_place=["PolicyDocument", "Roles"])
def policy(r: Resource) -> Result:
    name, document = r.require("PolicyName"), r.require("PolicyDocument")
    roles = r.require("Roles")
    r.done()
    for role_name in roles:
        r.call("iam", "PutRolePolicy", RoleName=role_name, PolicyName=name, PolicyDocument=document)
    for role_name in set(r.old.properties["Roles"] if r.old else []) - set(roles):
        r.call("iam", "DeleteRolePolicy", RoleName=role_name, PolicyName=name)
    return name, {}


@maps("AWS::KMS::Key", in_place=["KeyPolicy"])
def key(r: Resource) -> Result:
    document, rotates = r.take("KeyPolicy"), r.take("EnableKeyRotation", False)
    settings = r.same("Description")
    r.without_effect("PendingWindowInDays", "keys are deleted with the state directory")
    r.done()
    if r.old:
        r.call(
            "kms", "PutKeyPolicy", KeyId=r.old.physical_id, PolicyName="default", Policy=document
        )
        return r.old.physical_id, r.old.attributes
    made = r.call("kms", "CreateKey", Policy=document, **settings)["KeyMetadata"]
    if rotates:
        r.call("kms", "EnableKeyRotation", KeyId=made["KeyId"])
    return made["KeyId"], {"Arn": made["Arn"]}
