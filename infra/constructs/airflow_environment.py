"""Airflow on Amazon MWAA: the files it reads, the names it is handed, the environment."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnResource, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_mwaa as mwaa
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.deployed_folder import DeployedFolder
from infra.constructs.grants import allow
from infra.constructs.log_group import encrypted_log_group
from infra.orchestration_config import cron_every
from infra.packaging import REPOSITORY, requirements_file, source_files, stage_files

VARIABLE = "voxlake"
DAGS = "dags"
CONSTRAINTS = f"{DAGS}/constraints.txt"
_BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
# Where MWAA lays the folder of the DAGs: the only file of ours that pip can read beside its own.
_REQUIREMENTS = f"""\
# The DAGs need nothing beyond what MWAA brings with Airflow {{version}}: Airflow itself, the Amazon
# provider and the standard one. So nothing is installed, and nothing is fetched: a line added here
# without a wheel in plugins.zip (--find-links /usr/local/airflow/plugins) fails, which is meant.
--no-index
--constraint "/usr/local/airflow/{CONSTRAINTS}"
"""


def constraints(lock: str) -> str:
    """The versions of a hashed lock as pip's constraints, which take no hashes."""
    head = "# The versions that the DAGs are tested with (requirements/airflow.txt).\n"
    pins = re.findall(r"^[\w.-]+==[^\s;\\]+(?: ;[^\\\n]*[^\s\\])?", lock, re.MULTILINE)
    return head + "\n".join(pins) + "\n"


def stage_airflow(target: Path, version: str) -> str:
    """Lays out the environment's bucket: `dags/`, in it the constraints, and the requirements.

    Returns:
        The name of the requirements file. It carries a digest of its content and that of the
        constraints: an environment installs anew only when it is told of another file.
    """
    stage_files(((f"{DAGS}/{n}", p) for n, p in source_files(REPOSITORY / "mwaa_dags")), target)
    pinned = constraints(requirements_file("airflow").read_text())
    (target / CONSTRAINTS).write_text(pinned)
    wanted = _REQUIREMENTS.format(version=version)
    name = f"requirements-{hashlib.sha256((wanted + pinned).encode()).hexdigest()[:12]}.txt"
    (target / name).write_text(wanted)
    return name


class AirflowFiles(Construct):
    """The bucket with the DAGs."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, key: kms.IKey, staging: Path
    ) -> None:
        super().__init__(scope, id)
        folder = staging / "airflow"
        self.requirements = stage_airflow(folder, config.airflow.version)
        deployed = DeployedFolder(self, "Folder", config=config, key=key, folder=folder)
        self.bucket, self.deployment = deployed.bucket, deployed.deployment


class AirflowVariable(Construct):
    """The Airflow variable `voxlake`, in Secrets Manager where Airflow looks for it.

    Args:
        names: physical names by the keys of the stacks' outputs.
        definitions: what the names were made of; a change makes the template another, so that a
            deployment which replaced something hands on its new name as well.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        prefix: str,
        key: kms.IKey,
        names: Mapping[str, str],
        definitions: Mapping[str, object],
    ) -> None:
        super().__init__(scope, id)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            # Airflow asks for it by this name.
            secret_name=f"{prefix}/{VARIABLE}",
            description="voxlake: physical names for the DAGs; nothing in it is secret, but "
            "Airflow's other backend, Parameter Store, cannot be encrypted by a template",
            encryption_key=key,
            secret_string_value=SecretValue.unsafe_plain_text(
                Stack.of(self).to_json_string(dict(names))
            ),
            # Every deployment makes it anew, and a name that is kept could not be taken again.
            removal_policy=RemovalPolicy.DESTROY,
        )
        resource = self.secret.node.default_child
        assert isinstance(resource, CfnResource)
        text = json.dumps(dict(definitions), sort_keys=True)
        resource.add_metadata("definitions", hashlib.sha256(text.encode()).hexdigest())

    def grant_read(self, role: iam.IRole) -> None:
        allow(role, ["secretsmanager:GetSecretValue"], [self.secret.secret_arn])


def options(config: StageConfig, prefix: str) -> dict[str, str]:
    """Airflow's configuration options, as `section.option`.

    Args:
        prefix: of the names of the secrets that hold variables.
    """
    # Null: connections and configuration are never asked of Secrets Manager.
    looked_up = json.dumps(
        {
            "connections_prefix": None,
            "config_prefix": None,
            "variables_prefix": prefix,
            "variables_lookup_pattern": f"^{VARIABLE}$",
        }
    )
    return {
        "core.load_examples": "False",
        # A deployed schedule runs, as the simple one does.
        "core.dags_are_paused_at_creation": "False",
        # Tasks ask for it in their own process, the rest in the server's.
        "secrets.backend": _BACKEND,
        "secrets.backend_kwargs": looked_up,
        "workers.secrets_backend": _BACKEND,
        "workers.secrets_backend_kwargs": looked_up,
        "voxlake.schedule": cron_every(config.processing.schedule_minutes),
    }


class AirflowEnvironment(Construct):
    """The environment, and the log groups that it would otherwise make without an end."""

    # Member of the logging configuration -> last part of the group's name.
    LOGS = (
        ("dag_processing_logs", "DAGProcessing"),
        ("scheduler_logs", "Scheduler"),
        ("task_logs", "Task"),
        ("webserver_logs", "WebServer"),
        ("worker_logs", "Worker"),
    )

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        config: StageConfig,
        key: kms.IKey,
        files: AirflowFiles,
        variable: AirflowVariable,
        role: iam.Role,
        subnets: list[ec2.ISubnet],
        security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, id)
        airflow = config.airflow
        self.environment = mwaa.CfnEnvironment(
            self,
            "Environment",
            name=name,
            airflow_version=airflow.version,
            environment_class=airflow.environment_class,
            min_workers=airflow.min_workers,
            max_workers=airflow.max_workers,
            source_bucket_arn=files.bucket.bucket_arn,
            dag_s3_path=DAGS,
            requirements_s3_path=files.requirements,
            execution_role_arn=role.role_arn,
            kms_key=key.key_arn,
            network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
                subnet_ids=[subnet.subnet_id for subnet in subnets],
                security_group_ids=[security_group.security_group_id],
            ),
            webserver_access_mode=airflow.web_server_access,
            endpoint_management="SERVICE",
            airflow_configuration_options=options(config, name),
            logging_configuration=mwaa.CfnEnvironment.LoggingConfigurationProperty(
                **{
                    kind: mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty(
                        enabled=True, log_level=airflow.log_level
                    )
                    for kind, _ in self.LOGS
                }
            ),
            # The type takes tags as a map; those of the stack are not put on it otherwise.
            tags={"project": "voxlake", "stage": config.stage},
        )
        # MWAA writes to groups of these names; one that is there already is taken as it is, with
        # its retention and its key.
        groups = [
            encrypted_log_group(
                self,
                f"{part}Logs",
                key=key,
                retention_days=config.log_retention_days,
                name=f"airflow-{name}-{part}",
            )
            for _, part in self.LOGS
        ]
        # It starts by reading its files and needs its rights from the first moment.
        self.environment.node.add_dependency(*groups, files.deployment, variable, role)
        for subnet in subnets:
            self.environment.node.add_dependency(subnet.internet_connectivity_established)
