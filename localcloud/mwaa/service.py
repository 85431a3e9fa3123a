"""Environments of Amazon MWAA, as bookkeeping; no Airflow runs in this process.

A laptop's Airflow is the user's own. It takes an environment's place with the variables that MWAA
gives its containers: the execution role's credentials, taken by `airflow-env.amazonaws.com`, and
the configuration options. `GET /_mwaa/<environment>` answers them as one JSON object.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.request import Request, Response

PLACE = re.compile(r"/_mwaa/(?P<name>[A-Za-z][\w-]{0,79})")
PRINCIPAL = "airflow-env.amazonaws.com"


class MwaaService:
    name = "mwaa"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.environments: dict[str, dict[str, Any]] = {}
        self.actions = {
            "CreateEnvironment": self.create,
            "GetEnvironment": lambda r: {"Environment": self._found(r)},
            "ListEnvironments": lambda r: {"Environments": list(self.environments)},
            "UpdateEnvironment": self.update,
            "DeleteEnvironment": self.delete,
        }

    def status(self) -> dict[str, Any]:
        return {"environments": list(self.environments)}

    def create(self, request: Request) -> dict[str, Any]:
        params = dict(request.params)
        name = params["Name"]
        if name in self.environments:
            raise _invalid(f"The environment {name} already exists.")
        if len(set(params["NetworkConfiguration"].get("SubnetIds", []))) != 2:
            raise _invalid("NetworkConfiguration.SubnetIds: expected two private subnets.")
        self._check(params)
        cloud = self.cloud
        arn = f"arn:aws:airflow:{cloud.region}:{cloud.account}:environment/{name}"
        host = f"{uuid.uuid4()}.c2.{cloud.region}.airflow.amazonaws.com"
        self.environments[name] = params | {
            "Arn": arn, "Status": "AVAILABLE", "CreatedAt": cloud.clock.now(), "WebserverUrl": host,
        }  # fmt: skip
        return {"Arn": arn}

    def update(self, request: Request) -> dict[str, Any]:
        found = self._found(request)
        self._check(found | request.params)
        found.update(request.params)
        return {"Arn": found["Arn"]}

    def delete(self, request: Request) -> dict[str, Any]:
        del self.environments[self._found(request)["Name"]]
        return {}

    def serve(self, environ: dict[str, Any], body: bytes) -> Response | None:
        """The variables of a process of an environment; None for a request to none."""
        at = PLACE.fullmatch(environ.get("PATH_INFO", ""))
        if at is None:
            return None
        found, status = self.environments.get(at["name"]), 200
        if found is None:
            status, answer = 404, {"error": f"no environment {at['name']}"}
        else:
            answer = self._process(found)
        return Response(status, [("Content-Type", "application/json")], json.dumps(answer).encode())

    def _process(self, environment: dict[str, Any]) -> dict[str, str]:
        variables = self.cloud.environment(
            environment["ExecutionRoleArn"], session_name="AmazonMWAA-airflow", service=PRINCIPAL
        )
        options = environment.get("AirflowConfigurationOptions", {})
        ours = ("AWS_", "NO_PROXY", "no_proxy")
        return {k: v for k, v in variables.items() if k.startswith(ours)} | {
            f"AIRFLOW__{key.upper().replace('.', '__')}": value for key, value in options.items()
        }

    def _check(self, params: dict[str, Any]) -> None:
        """What MWAA refuses: a bucket that is open or keeps no versions, a role of others."""
        bucket, s3 = params["SourceBucketArn"].rpartition(":")[2], self.cloud.client("s3")
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise _invalid(f"The bucket {bucket} keeps no versions.")
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        if not all(block.values()):
            raise _invalid(f"The bucket {bucket} is not blocked for the public.")
        if path := params.get("RequirementsS3Path"):
            try:
                s3.head_object(Bucket=bucket, Key=path)
            except s3.exceptions.ClientError as error:
                raise _invalid(f"RequirementsS3Path: no {path} in {bucket}.") from error
        try:
            self.cloud.role_credentials(params["ExecutionRoleArn"], "check", PRINCIPAL)
        except ServiceError as error:
            raise _invalid(f"ExecutionRoleArn: {error.message}") from error

    def _found(self, request: Request) -> dict[str, Any]:
        name = request.params["Name"]
        if name not in self.environments:
            raise ServiceError("ResourceNotFoundException", f"No environment {name}.", 404)
        return self.environments[name]


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message, 400)
