"""Redshift Serverless."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::RedshiftServerless::Namespace", in_place=["IamRoles", "DefaultIamRoleArn"])
def namespace(r: Resource) -> Result:
    fixed = r.same(
        "DbName", "AdminUsername", "ManageAdminPassword", "AdminPasswordSecretKmsKeyId", "KmsKeyId"
    )
    roles, name = r.same("IamRoles", "DefaultIamRoleArn"), r.require("NamespaceName")
    r.done()
    operation = "UpdateNamespace" if r.old else "CreateNamespace"
    settings = roles if r.old else roles | fixed
    made = r.call("redshift-serverless", operation, namespaceName=name, **_camel(settings))
    return name, {"Namespace.NamespaceArn": made["namespace"]["namespaceArn"]}


@maps("AWS::RedshiftServerless::Workgroup")
def workgroup(r: Resource) -> Result:
    settings = r.same(
        "BaseCapacity", "MaxCapacity", "ConfigParameters", "EnhancedVpcRouting", "NamespaceName",
        "PubliclyAccessible", "SecurityGroupIds", "SubnetIds", "WorkgroupName",
    )  # fmt: skip
    r.done()
    settings["ConfigParameters"] = [_camel(p) for p in settings.get("ConfigParameters", [])]
    made = r.call("redshift-serverless", "CreateWorkgroup", **_camel(settings))["workgroup"]
    return made["workgroupName"], {"Workgroup.WorkgroupArn": made["workgroupArn"]}


def _camel(settings: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in settings.items()}
