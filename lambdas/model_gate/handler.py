"""Entry point of model_gate, called by Airflow's train_models and maintenance.

`{"step": "gather" | "prepare" | "evaluate" | "gate" | "register", …}`: see
`lambdas.model_gate.steps`. What it decides and moves is what `voxlake promote` does, by the same
code.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from lambdas.common.settings import read_settings
from lambdas.model_gate.errors import TrainingRequestError
from lambdas.model_gate.settings import Settings
from lambdas.model_gate.steps import Gate
from voxlake.training.registry import ModelRegistry

logger = Logger()
STEPS = ("gather", "prepare", "evaluate", "gate", "register")
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5})


@cache
def _connected() -> tuple[Settings, Any, ModelRegistry]:
    settings = read_settings(Settings, os.environ)
    s3 = boto3.client("s3", config=_CONFIG)
    registry = ModelRegistry(
        boto3.client("sagemaker", config=_CONFIG),
        s3,
        group_prefix=settings.group_prefix,
        image=settings.inference_image,
        clock=lambda: datetime.now(UTC),
    )
    return settings, s3, registry


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    step = event.get("step")
    if step not in STEPS:
        raise TrainingRequestError(f"expected a step among {', '.join(STEPS)}, found {step!r}")
    settings, s3, registry = _connected()
    with tempfile.TemporaryDirectory(prefix="model-gate-") as work:
        gate = Gate(
            settings,
            s3,
            registry,
            Path(work),
            now=datetime.now(UTC),
            suffix=secrets.token_hex(2),
            clock=time.perf_counter,
        )
        answer = getattr(gate, step)(event)
    logger.info("done", extra={"step": step, "answer": answer})
    return answer
