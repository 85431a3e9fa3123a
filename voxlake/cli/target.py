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

from voxlake.errors import VoxlakeError

STACKS = ("storage", "ingest", "sources", "stream", "processing", "ml", "warehouse", "alarms")
# Which a stage has only where its configuration says so.
OPTIONAL_STACKS = ("api", "dashboard")
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

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Output key -> value over all stacks of the stage."""
        from botocore.exceptions import ClientError

        found: dict[str, str] = {}
        cloudformation = self.client("cloudformation")
        for name in (*STACKS, *OPTIONAL_STACKS):
            try:
                stack = cloudformation.describe_stacks(StackName=self.stack_prefix + name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                if name in OPTIONAL_STACKS:
                    continue
                how = "voxlake up" if self.is_local else f"cdk deploy --all -c stage={self.stage}"
                raise NotDeployedError(
                    f"expected the stack {self.stack_prefix}{name}, found none: run `{how}`"
                ) from None
            for output in stack["Stacks"][0].get("Outputs", []):
                found[output["OutputKey"]] = output["OutputValue"]
        return found

    def output(self, key: str) -> str:
        """The value of one output. Raises NotDeployedError naming it when it is missing."""
        try:
            return self.outputs[key]
        except KeyError:
            raise NotDeployedError(
                f"expected the output {key} in the stacks {self.stack_prefix}*, found none: "
                "the deployed template is older than this command; deploy it again"
            ) from None
