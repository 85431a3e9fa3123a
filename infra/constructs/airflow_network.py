"""The network of Airflow: two private subnets, and one way out of them."""

from aws_cdk import Aws, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.log_group import encrypted_log_group

# What MWAA itself calls from within the network, then what the DAGs' tasks call; S3 has a gateway.
# https://docs.aws.amazon.com/mwaa/latest/userguide/vpc-vpe-create-access.html
ENDPOINTS = (
    "airflow.api",
    "airflow.env",
    "kms",
    "logs",
    "monitoring",
    "sqs",
    "athena",
    "events",
    "glue",
    "lambda",
    "sagemaker.api",
    "secretsmanager",
    "sns",
)


class AirflowNetwork(Construct):
    """A VPC of its own, closed from outside; `nat` or `endpoints` lead out (see `AirflowConfig`).

    Zones are taken by their place in the region's list: a name would tie the template to a region,
    and asking for names at synthesis would take credentials.
    """

    def __init__(self, scope: Construct, id: str, *, config: StageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        airflow, kinds = config.airflow, ec2.SubnetType
        nat = airflow.private_access == "nat"
        private = kinds.PRIVATE_WITH_EGRESS if nat else kinds.PRIVATE_ISOLATED
        subnets = [ec2.SubnetConfiguration(name="Private", subnet_type=private, cidr_mask=24)]
        if nat:
            subnets.append(
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=kinds.PUBLIC,
                    cidr_mask=28,
                    map_public_ip_on_launch=False,
                )
            )
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr("10.62.0.0/16"),
            availability_zones=[Fn.select(zone, Fn.get_azs()) for zone in airflow.zones],
            # One: a run that waits for its zone to come back loses nothing.
            nat_gateways=1 if nat else 0,
            subnet_configuration=subnets,
            # Costs nothing, and takes DAGs and logs off the NAT gateway's bill.
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
            restrict_default_security_group=False,
        )
        self.subnets = self.vpc.select_subnets(subnet_type=private).subnets
        self.security_group = self._security_group()
        if not nat:
            self._endpoints()
        self._refused_traffic(config, key)

    def _security_group(self) -> ec2.SecurityGroup:
        """Everything among its own members; to the outside HTTPS, from the outside nothing."""
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            description="voxlake: Airflow, its database and the endpoints it uses",
            allow_all_outbound=False,
        )
        everything = ec2.Port.all_traffic()
        group.add_ingress_rule(group, everything, "Airflow's parts among themselves")
        group.add_egress_rule(group, everything, "Airflow's parts among themselves")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS's services")
        return group

    def _endpoints(self) -> None:
        for service in ENDPOINTS:
            self.vpc.add_interface_endpoint(
                "".join(part.title() for part in service.split(".")),
                service=ec2.InterfaceVpcEndpointService(f"com.amazonaws.{Aws.REGION}.{service}"),
                private_dns_enabled=True,
                subnets=ec2.SubnetSelection(subnets=self.subnets),
                security_groups=[self.security_group],
                # The group's own rule lets its members in; no other address is.
                open=False,
            )

    def _refused_traffic(self, config: StageConfig, key: kms.IKey) -> None:
        logs = encrypted_log_group(self, "Logs", key=key, retention_days=config.log_retention_days)
        role = iam.Role(
            self, "LogsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com")
        )
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(logs, role),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
