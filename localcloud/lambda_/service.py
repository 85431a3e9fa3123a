"""Lambda's actions that run code; what a function is configured to be stays in moto."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.lambda_ import layers
from localcloud.lambda_.function import Function, InvokeResult, Settings
from localcloud.lambda_.telemetry import Telemetry
from localcloud.request import Request, Response

log = logging.getLogger(__name__)
LIMITS = {"RequestResponse": 6 << 20, "Event": 1 << 20}  # bytes of a payload
RESPONSE_LIMIT = 6_291_556
EVENT_THREADS = 4
# AWS waits one minute, then two; somebody at a laptop waits as many seconds.
RETRY_DELAYS_S = (1.0, 2.0)
REFUSED = ("PutFunctionConcurrency", "PutFunctionEventInvokeConfig", "PublishVersion")


class LambdaService:
    """Runs functions in warm worker processes.

    `register` names the folder of a function's code; without it, and after a later
    UpdateFunctionCode, the zip that moto holds is unpacked under the state directory.
    """

    name = "lambda"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.telemetry = Telemetry(cloud)
        self._lock = threading.Lock()
        self._functions: dict[str, Function] = {}
        self._folders: dict[str, tuple[Path, str]] = {}  # with the hash of the code it stands for
        self._logging: dict[str, dict[str, Any]] = {}  # LoggingConfig, which moto drops
        self._events = ThreadPoolExecutor(EVENT_THREADS, thread_name_prefix="lambda-event")
        self._dropped_events = 0
        self.actions = {
            **dict.fromkeys(REFUSED, _refuse),
            "CreateFunction": self.configure,
            "UpdateFunctionConfiguration": self.configure,
            "DeleteFunction": self.delete_function,
            "Invoke": self.invoke_action,
        }

    def stop(self) -> None:
        self._events.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            functions, self._functions = self._functions, {}
        for function in functions.values():
            function.close()

    def status(self) -> dict[str, Any]:
        with self._lock:
            functions = {name: f.status() for name, f in self._functions.items()}
        return {"functions": functions, "dropped_events": self._dropped_events}

    # ----- what the deployer calls

    def register(self, function_name: str, code_dir: Path, config: Any = None) -> None:
        """The code of a function that moto knows is the folder `code_dir`, until its code is
        updated in another way."""
        if not Path(code_dir).is_dir():
            raise ServiceError(
                "InvalidParameterValueException",
                f"expected a folder with the code of {function_name}, found none at {code_dir}",
            )
        moto_function = self._moto_function(function_name)
        with self._lock:
            self._folders[function_name] = (Path(code_dir), moto_function.code_sha_256)

    def check_layer(self, name: str, folder: Path) -> None:
        """Raises `LayerMismatchError` unless the host satisfies the layer's requirements.txt."""
        layers.check(name, Path(folder))

    # ----- running

    def invoke(
        self, function_name: str, payload: bytes, request_id: str | None = None
    ) -> InvokeResult:
        """Runs a function and waits. Raises `ServiceError` when there is none of that name."""
        function = self.function(function_name)
        result = function.invoke(payload, request_id or str(uuid.uuid4()))
        if len(result.payload) > RESPONSE_LIMIT:
            message = (
                "Response payload size exceeded maximum allowed payload size"
                f" ({RESPONSE_LIMIT} bytes)."
            )
            document = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
            result.payload, result.error = json.dumps(document).encode(), "Unhandled"
        return result

    def invoke_event(self, function_name: str, payload: bytes) -> str:
        """Queues an event, to be tried three times; returns its request id."""
        self.function(function_name)
        request_id = str(uuid.uuid4())
        self._events.submit(self._attempt_event, function_name, payload, request_id)
        return request_id

    def _attempt_event(self, name: str, payload: bytes, request_id: str) -> None:
        for delay in (0.0, *RETRY_DELAYS_S):
            if self.cloud.stop_event.wait(delay):
                return
            try:
                if self.invoke(name, payload, request_id).error is None:
                    return
            except ServiceError as error:
                log.warning("asynchronous invocation of %s: %s", name, error)
        self._dropped_events += 1

    def function(self, function_name: str) -> Function:
        """The function as it is configured now; workers of an older configuration are retired."""
        name = bare_name(function_name)
        moto_function = self._moto_function(name)
        with self._lock:
            config = {**moto_function.get_configuration(), "LoggingConfig": self._logging.get(name)}
            settings = Settings.from_config(config, self._code_dir(name, moto_function))
            current = self._functions.get(name)
            if current and current.settings == settings:
                return current
            self._functions[name] = Function(settings, self.cloud, self.telemetry)
        if current:
            current.close()
        return self._functions[name]

    def policy(self, function_name: str) -> list[dict[str, Any]]:
        """The statements of a function's resource policy."""
        return list(self._moto_function(bare_name(function_name)).policy.statements)

    def _code_dir(self, name: str, moto_function: Any) -> Path:
        folder, sha = self._folders.get(name, (None, None))
        if sha == moto_function.code_sha_256:
            return folder
        digest = base64.b64decode(moto_function.code_sha_256).hex()[:16]
        target = self.cloud.state_dir / "lambda" / name / digest
        with zipfile.ZipFile(io.BytesIO(moto_function.code_bytes)) as package:
            package.extractall(target)
        self._folders[name] = (target, moto_function.code_sha_256)
        return target

    def _moto_function(self, name: str) -> Any:
        from moto.awslambda.exceptions import UnknownFunctionException
        from moto.awslambda.models import lambda_backends

        region, account = self.cloud.region, self.cloud.account
        try:
            return lambda_backends[account][region].get_function(name)
        except UnknownFunctionException:
            arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
            raise ServiceError(
                "ResourceNotFoundException", f"Function not found: {arn}", 404
            ) from None

    # ----- actions

    def configure(self, request: Request) -> dict[str, Any]:
        """CreateFunction and UpdateFunctionConfiguration."""
        params = dict(request.params)
        result = request.forward()
        name = bare_name(params["FunctionName"])
        if "LoggingConfig" in params:
            self._logging[name] = params["LoggingConfig"]
        group = (self._logging.get(name) or {}).get("LogGroup") or f"/aws/lambda/{name}"
        return {**result, "LoggingConfig": {"LogFormat": "Text", "LogGroup": group}}

    def delete_function(self, request: Request) -> dict[str, Any]:
        result = request.forward()
        name = bare_name(request.params["FunctionName"])
        with self._lock:
            function = self._functions.pop(name, None)
            self._folders.pop(name, None)
            self._logging.pop(name, None)
        if function:
            function.close()
        return result

    def invoke_action(self, request: Request) -> Any:
        params, payload = request.params, request.body
        kind = params.get("InvocationType") or "RequestResponse"
        for option, expected in (("Qualifier", "$LATEST"), ("LogType", "None")):
            if params.get(option) not in (None, expected):
                raise ServiceError(
                    "InvalidParameterValueException",
                    f"the {option} {params[option]} is not emulated: expected {expected}",
                )
        if kind not in LIMITS:
            raise ServiceError(
                "InvalidParameterValueException", f"the InvocationType {kind} is not emulated"
            )
        if len(payload) > LIMITS[kind]:
            raise ServiceError(
                "RequestTooLargeException",
                f"{len(payload)} byte payload is too large for the {kind} invocation type"
                f" (limit {LIMITS[kind]} bytes)",
                413,
            )
        try:
            json.loads(payload or b"null")
        except ValueError as error:
            raise ServiceError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        if kind == "Event":
            request_id = self.invoke_event(params["FunctionName"], payload)
            return Response(202, [("x-amzn-RequestId", request_id)], b"")
        result = self.invoke(params["FunctionName"], payload)
        headers = [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", result.request_id),
            ("X-Amz-Executed-Version", "$LATEST"),
        ]
        if result.error:
            headers.append(("X-Amz-Function-Error", result.error))
        return Response(200, headers, result.payload)


def bare_name(name_or_arn: str) -> str:
    """The function name in a name, a partial ARN or an ARN."""
    parts = name_or_arn.split(":")
    return parts[parts.index("function") + 1] if "function" in parts else parts[0]


def _refuse(request: Request) -> None:
    raise ServiceError("InvalidParameterValueException", f"{request.action} is not emulated")
