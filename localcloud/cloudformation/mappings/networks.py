"""Networks, and MWAA's environments in them."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]

# Nothing travels through a network here: what a template says of one is given an id, and no more.
# Type -> prefix of its id, the attribute that is its id, properties.
_NETWORK = {
    "VPC": ("vpc", "VpcId", "CidrBlock EnableDnsSupport EnableDnsHostnames InstanceTenancy"),
    "Subnet": ("subnet", "SubnetId", "VpcId AvailabilityZone CidrBlock MapPublicIpOnLaunch"),
    "SecurityGroup": (
        "sg",
        "GroupId",
        "GroupDescription VpcId SecurityGroupEgress SecurityGroupIngress",
    ),
    "SecurityGroupIngress": (
        "sgr",
        "Id",
        "Description GroupId IpProtocol FromPort ToPort CidrIp SourceSecurityGroupId",
    ),
    "SecurityGroupEgress": (
        "sgr",
        "Id",
        "Description GroupId IpProtocol FromPort ToPort CidrIp DestinationSecurityGroupId",
    ),
    "RouteTable": ("rtb", "RouteTableId", "VpcId"),
    "Route": ("r", "Id", "RouteTableId DestinationCidrBlock NatGatewayId GatewayId"),
    "SubnetRouteTableAssociation": ("rtbassoc", "Id", "RouteTableId SubnetId"),
    "InternetGateway": ("igw", "InternetGatewayId", ""),
    "VPCGatewayAttachment": ("attachment", "Id", "VpcId InternetGatewayId"),
    "EIP": ("eipalloc", "AllocationId", "Domain"),
    "NatGateway": ("nat", "NatGatewayId", "AllocationId SubnetId"),
    "VPCEndpoint": (
        "vpce",
        "Id",
        "ServiceName VpcEndpointType VpcId RouteTableIds SubnetIds SecurityGroupIds"
        " PrivateDnsEnabled",
    ),
    "FlowLog": (
        "fl",
        "Id",
        "DeliverLogsPermissionArn LogDestinationType LogGroupName ResourceId ResourceType"
        " TrafficType",
    ),
}


def network(r: Resource) -> Result:
    prefix, attribute, known = _NETWORK[r.type.rpartition(":")[2]]
    r.same(*known.split(), "Tags")
    r.done()
    identity = f"{prefix}-{r.name(None, 255)[-12:].lower()}"
    return identity, {attribute: identity}


for _kind in _NETWORK:
    maps(f"AWS::EC2::{_kind}")(network)

_CHANGED_IN_PLACE = (
    "AirflowConfigurationOptions", "AirflowVersion", "EnvironmentClass", "ExecutionRoleArn",
    "LoggingConfiguration", "MaxWorkers", "MinWorkers", "RequirementsS3Path",
    "WebserverAccessMode",
)  # fmt: skip


@maps("AWS::MWAA::Environment", in_place=[*_CHANGED_IN_PLACE, "Tags"])
def environment(r: Resource) -> Result:
    name = r.require("Name")
    settings, tags = r.same(*_CHANGED_IN_PLACE), r.same("Tags")
    fixed = r.same(
        "DagS3Path", "EndpointManagement", "KmsKey", "NetworkConfiguration", "SourceBucketArn"
    )
    r.done()
    if r.old:
        made = r.call("mwaa", "UpdateEnvironment", Name=name, **settings)
    else:
        made = r.call("mwaa", "CreateEnvironment", Name=name, **settings, **fixed, **tags)
    found = r.call("mwaa", "GetEnvironment", Name=name)["Environment"]
    return name, {"Arn": made["Arn"], "WebserverUrl": found["WebserverUrl"]}
