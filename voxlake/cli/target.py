"""Where a verb works: the laptop cloud or a deployed stage, and the physical names it finds there.

Physical names come from the CloudFormation outputs of the stacks `voxlake-<stage>-*`, on the laptop
as on AWS.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from voxlake.errors import VoxlakeError

STACKS = ("storage", "ingest", "sources", "stream", "processing", "ml", "warehouse", "alarms")
# Which a stage has only where its configuration says so.
OPTIONAL_STACKS = ("api", "dashboard", "quicksight")
# Airflow's own: it is handed the outputs of the others.
AIRFLOW_STACK = "airflow"
LAPTOP_STAGE = "full"


class NotRunningError(VoxlakeError):
    """The laptop cloud is not running."""


class NotDeployedError(VoxlakeError):
    """The stage's stacks, or one of their outputs, are not there."""


def home() -> Path:
    """The folder of everything a laptop run leaves: $VOXLAKE_HOME or .voxlake here."""
    return Path(os.environ.get("VOXLAKE_HOME", ".voxlake")).absolute()


def cloud_state() -> Path:
    """The laptop cloud's state folder."""
    return home() / "cloud"


def laptop_settings() -> dict:
    """What the laptop cloud wrote of itself.

    Raises NotRunningError when there is no such cloud.
    """
    path = cloud_state() / "localcloud.json"
    try:
        settings = json.loads(path.read_text())
        address = urlsplit(settings["endpoint"])
        # The file outlives the process; only an answering endpoint proves that it runs.
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        raise NotRunningError(
            "the laptop cloud is not running: start it with `voxlake up` (or name a deployed "
            "stage with --stage)"
        ) from None
    return settings


@dataclass
class Target:
    """One place to work in. `stage` is `local` or a deployed stage's name."""

    stage: str = "local"
    _clients: dict = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        return self.stage == "local"

    @property
    def stack_prefix(self) -> str:
        return f"voxlake-{LAPTOP_STAGE if self.is_local else self.stage}-"

    @cached_property
    def session(self):
        """A boto3 session: the laptop cloud's administrator, or AWS's own choice of credentials."""
        import boto3

        if not self.is_local:
            return boto3.Session()
        settings = laptop_settings()
        return boto3.Session(
            aws_access_key_id=settings["access_key_id"],
            aws_secret_access_key=settings["secret_access_key"],
            region_name=settings["region"],
        )

    def client(self, service: str, *, role: str | None = None, wait_seconds: int = 60):
        """A boto3 client of `service`, made once; with `role` (an ARN), of that role's session.

        `wait_seconds`: for an answer, which a function that runs longer takes to give.
        """
        key = service if (role, wait_seconds) == (None, 60) else f"{service} {role} {wait_seconds}"
        if key not in self._clients:
            from botocore.config import Config

            endpoint = laptop_settings()["endpoint"] if self.is_local else None
            session = self._session_of(role) if role else self.session
            self._clients[key] = session.client(
                service,
                endpoint_url=endpoint,
                config=Config(
                    retries={"max_attempts": 5, "mode": "standard"}, read_timeout=wait_seconds
                ),
            )
        return self._clients[key]

    def _session_of(self, role: str):
        """A boto3 session of a role, taken by whoever calls."""
        import boto3

        keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="voxlake")
        found = keys["Credentials"]
        return boto3.Session(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["SessionToken"],
            region_name=self.session.region_name,
        )

    def table(self, key: str):
        """boto3's `Table` of the DynamoDB table that an output names."""
        endpoint = laptop_settings()["endpoint"] if self.is_local else None
        return self.session.resource("dynamodb", endpoint_url=endpoint).Table(self.output(key))

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client reaches the laptop cloud."""
        settings = laptop_settings()
        return {
            "AWS_ENDPOINT_URL": settings["endpoint"],
            "AWS_ACCESS_KEY_ID": settings["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": settings["secret_access_key"],
            "AWS_DEFAULT_REGION": settings["region"],
        }

    def airflow_environment(self) -> dict[str, str]:
        """What Airflow's processes are started with on the laptop: its role, its options.

        Empty on AWS, where MWAA starts them; Airflow at the desk works with the caller's own
        credentials there.
        """
        if not self.is_local:
            return {}
        name = self.airflow_outputs.get("AirflowEnvironment")
        if name is None:
            raise NotDeployedError(
                f"expected the stack {self.stack_prefix}{AIRFLOW_STACK}, found none: deploy the "
                "template with the orchestrator mwaa, or run with --orchestrator stepfunctions"
            )
        place = f"{laptop_settings()['endpoint']}/_mwaa/{name}"
        # Loopback is behind no proxy.
        with build_opener(ProxyHandler({})).open(place, timeout=60) as answer:
            return json.load(answer)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Output key -> value over all stacks of the stage."""
        found: dict[str, str] = {}
        for name in (*STACKS, *OPTIONAL_STACKS):
            outputs = self._stack_outputs(name)
            if outputs is None and name not in OPTIONAL_STACKS:
                how = "voxlake up" if self.is_local else f"cdk deploy --all -c stage={self.stage}"
                raise NotDeployedError(
                    f"expected the stack {self.stack_prefix}{name}, found none: run `{how}`"
                )
            found |= outputs or {}
        return found

    @cached_property
    def airflow_outputs(self) -> dict[str, str]:
        """Output key -> value of the stage's Airflow; empty where it has none."""
        return self._stack_outputs(AIRFLOW_STACK) or {}

    def _stack_outputs(self, name: str) -> dict[str, str] | None:
        """A stack's outputs by key, without what stacks export to each other; None: no stack."""
        from botocore.exceptions import ClientError

        try:
            found = self.client("cloudformation").describe_stacks(
                StackName=self.stack_prefix + name
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        outputs = found["Stacks"][0].get("Outputs", [])
        return {o["OutputKey"]: o["OutputValue"] for o in outputs if "ExportName" not in o}

    def output(self, key: str) -> str:
        """The value of one output. Raises NotDeployedError naming it when it is missing."""
        try:
            return self.outputs[key]
        except KeyError:
            raise NotDeployedError(
                f"expected the output {key} in the stacks {self.stack_prefix}*, found none: "
                "the deployed template is older than this command; deploy it again"
            ) from None
