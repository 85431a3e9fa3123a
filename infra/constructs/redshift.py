"""Redshift Serverless: the network around it, the star schema's home, who may read it."""

from aws_cdk import Aws, Fn, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_redshiftserverless as redshift
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import allow, read_objects, read_with_key
from infra.constructs.lake_storage import Zones

DATABASE = "voxlake"
ANALYST_DATABASE_ROLE = "analyst"
MANIFESTS = "warehouse/"
"""Prefix of COPY's manifests in the artifacts bucket."""


class PrivateNetwork(Construct):
    """Subnets that lead nowhere: SQL comes by the Data API, data by Redshift's own way to S3.

    Zones are taken by their place in the region's list: a name would tie the template to a region,
    and asking for names at synthesis would take credentials.
    """

    def __init__(self, scope: Construct, id: str, *, zones: tuple[int, ...]) -> None:
        super().__init__(scope, id)
        vpc = ec2.CfnVPC(self, "Vpc", cidr_block="10.61.0.0/16", enable_dns_support=True)
        self.subnet_ids = [
            ec2.CfnSubnet(
                self,
                f"Subnet{number}",
                vpc_id=vpc.ref,
                availability_zone=Fn.select(zone, Fn.get_azs()),
                # Redshift Serverless takes addresses by the dozen as it grows.
                cidr_block=f"10.61.{number}.0/24",
                map_public_ip_on_launch=False,
            ).ref
            for number, zone in enumerate(zones)
        ]
        group = ec2.CfnSecurityGroup(
            self,
            "SecurityGroup",
            group_description="voxlake: the warehouse; nobody connects to it over the network",
            vpc_id=vpc.ref,
            # Left out, everything would be allowed.
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="-1", cidr_ip="127.0.0.1/32", description="Nothing leaves"
                )
            ],
        )
        self.security_group_id = group.attr_group_id


class RedshiftWarehouse(Construct):
    """Namespace, workgroup, the role COPY reads with, the role of analysts.

    Nothing in it is lost with it: a load makes it anew from the lake.
    """

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, key: kms.IKey, zones: Zones
    ) -> None:
        super().__init__(scope, id)
        warehouse = config.warehouse
        network = PrivateNetwork(self, "Network", zones=warehouse.redshift_zones)
        self.copy_role = self._copy_role(key, zones)
        # Redshift Serverless generates no names; these carry the stack's.
        name = config.stack_name("warehouse")
        self.namespace = redshift.CfnNamespace(
            self,
            "Namespace",
            namespace_name=name,
            db_name=DATABASE,
            admin_username="voxlake_admin",
            manage_admin_password=True,
            admin_password_secret_kms_key_id=key.key_arn,
            kms_key_id=key.key_arn,
            iam_roles=[self.copy_role.role_arn],
        )
        self.workgroup = redshift.CfnWorkgroup(
            self,
            "Workgroup",
            workgroup_name=name,
            namespace_name=name,
            base_capacity=warehouse.redshift_base_rpu,
            max_capacity=warehouse.redshift_max_rpu,
            publicly_accessible=False,
            # COPY of Parquet goes by Redshift's own network, which a VPC's routes would cut off.
            enhanced_vpc_routing=False,
            subnet_ids=network.subnet_ids,
            security_group_ids=[network.security_group_id],
            config_parameters=[
                redshift.CfnWorkgroup.ConfigParameterProperty(
                    parameter_key="require_ssl", parameter_value="true"
                ),
                redshift.CfnWorkgroup.ConfigParameterProperty(
                    parameter_key="max_query_execution_time", parameter_value="3600"
                ),
            ],
        )
        self.workgroup.add_resource_dependency(self.namespace)
        self.name = name
        self.workgroup_arn = self.workgroup.attr_workgroup_workgroup_arn
        self.analyst_role = self._analyst_role()

    def _copy_role(self, key: kms.IKey, zones: Zones) -> iam.Role:
        """Reads the tables that are loaded, and the manifests that name their files."""
        role = iam.Role(
            self,
            "CopyRole",
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("redshift.amazonaws.com"),
                iam.ServicePrincipal("redshift-serverless.amazonaws.com"),
            ),
        )
        read_objects(zones.cleansed, role, "interactions/")
        read_objects(zones.analytics, role, "texts_scored/")
        read_objects(zones.analytics, role, "tickets/")
        read_objects(zones.artifacts, role, MANIFESTS)
        read_with_key(key, role)
        return role

    def _analyst_role(self) -> iam.Role:
        """Who takes this role signs in with the database role that may read and nothing else."""
        role = iam.Role(self, "AnalystRole", assumed_by=iam.AccountRootPrincipal())
        Tags.of(role).add("RedshiftDbRoles", ANALYST_DATABASE_ROLE)
        allow(
            role,
            [
                "redshift-data:BatchExecuteStatement",
                "redshift-data:ExecuteStatement",
                "redshift-serverless:GetCredentials",
            ],
            [self.workgroup_arn],
        )
        follow_statements(role)
        return role

    def grant_load(self, role: iam.IRole) -> None:
        """Run SQL as the administrator, whose secret Redshift made, and hold the usage limit."""
        allow(role, ["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"],
              [self.workgroup_arn])  # fmt: skip
        follow_statements(role)
        allow(
            role,
            ["secretsmanager:GetSecretValue"],
            [
                f"arn:{Aws.PARTITION}:secretsmanager:{Aws.REGION}:{Aws.ACCOUNT_ID}"
                f":secret:redshift!{self.name}-*"
            ],
        )
        allow(
            role,
            ["redshift-serverless:GetNamespace"],
            [self.namespace.attr_namespace_namespace_arn],
        )
        allow(role, ["redshift-serverless:GetWorkgroup"], [self.workgroup_arn])
        # Usage limits have no ARN that is known before they are made.
        allow(
            role,
            [
                "redshift-serverless:CreateUsageLimit",
                "redshift-serverless:ListUsageLimits",
                "redshift-serverless:UpdateUsageLimit",
            ],
            ["*"],
        )


def follow_statements(role: iam.IRole) -> None:
    """Ask after statements: they know no resources, and only who ran one may see it."""
    allow(
        role,
        [
            "redshift-data:CancelStatement",
            "redshift-data:DescribeStatement",
            "redshift-data:GetStatementResult",
            "redshift-data:ListStatements",
        ],
        ["*"],
    )
