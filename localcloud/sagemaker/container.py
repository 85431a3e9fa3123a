"""One model loaded in one warm process: what a transform instance runs as a container."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from localcloud.errors import LocalCloudError
from localcloud.glue.process import GroupProcess

_SERVER = Path(__file__).with_name("model_server.py")
_IMAGE_MODEL_DIR = "/opt/ml/model"


class AlgorithmError(LocalCloudError):
    """The model could not be loaded or answered an invocation with an error."""


class ModelContainer:
    """Serves `invoke` calls from the model in `model_dir`; `stop` ends the process."""

    def __init__(
        self, model_dir: Path, environment: Mapping[str, str], *, log: IO[bytes], isolated: bool
    ) -> None:
        code = {"SAGEMAKER_SUBMIT_DIRECTORY": f"{_IMAGE_MODEL_DIR}/code"}
        env = {
            name: value.replace(_IMAGE_MODEL_DIR, str(model_dir))
            for name, value in {**code, **environment}.items()
        }
        env["SM_MODEL_DIR"] = str(model_dir)
        env["LOCALCLOUD_NETWORK_ISOLATION"] = "1" if isolated else "0"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        command = [sys.executable, str(_SERVER), str(model_dir)]
        self._process = GroupProcess(command, cwd=model_dir, env=env, **pipes)

    def wait_until_loaded(self, seconds: float = 600) -> None:
        """Wait for model_fn. Raises AlgorithmError with what it raised."""
        self._answer("the model did not load", seconds)

    def invoke(self, body: bytes, *, content_type: str, accept: str, seconds: float) -> bytes:
        """Return the response to one payload. Raises AlgorithmError on an error or a timeout."""
        header = {"length": len(body), "content_type": content_type, "accept": accept}
        stdin = self._process.popen.stdin
        try:
            stdin.write(json.dumps(header).encode() + b"\n" + body)
            stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise AlgorithmError("the model's process has ended") from error
        return self._answer("Bad HTTP status received from algorithm", seconds)

    def stop(self) -> None:
        """End the process at once."""
        self._process.stop(grace_seconds=0.5)

    def _answer(self, what: str, seconds: float) -> bytes:
        overdue = threading.Event()

        def expire() -> None:
            overdue.set()
            self._process.stop(grace_seconds=0)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            stdout = self._process.popen.stdout
            line = stdout.readline()
            header = json.loads(line) if line else None
            body = stdout.read(header["length"]) if header else b""
        finally:
            timer.cancel()
        if overdue.is_set():
            raise AlgorithmError(f"no response from algorithm within {seconds:g} seconds")
        if header is None:
            raise AlgorithmError("the model's process ended without an answer")
        if header["status"] != 200:
            raise AlgorithmError(f"{what}: {header['status']}: {header['error']}")
        return body


def unpack(archive: Path, model_dir: Path) -> None:
    """Unpack a model.tar.gz. Raises AlgorithmError when it is not one."""
    model_dir.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(model_dir, filter="data")
    except tarfile.TarError as error:
        raise AlgorithmError(f"expected a tar.gz, found {archive.name}: {error}") from error
