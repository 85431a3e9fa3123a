"""Entry point of reply_sender: messages of the outbox in, those to be received again out.

Messages of one account come in order. The first that cannot be dealt with now ends the batch: it
and those behind it stay in the queue, it for as long as it has to wait. What waits through no fault
of its own is replaced by a copy from its second receipt on, so that only failures use up the
receives after which SQS moves a message to the dead letters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.settings import read_settings
from lambdas.reply_sender.adapters import CLIENT_CONFIG, Outbox, Tables
from lambdas.reply_sender.posting import XPoster
from lambdas.reply_sender.sending import HeldBackError, Sender
from lambdas.reply_sender.settings import Settings
from voxlake.errors import TransientError, VoxlakeError
from voxlake.replies.decision import Mode
from voxlake.replies.errors import AccountRefusedError, ReplyUnsureError
from voxlake.replies.requests import read_request
from voxlake.tickets import load_queues

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))

FIRST_PAUSE, LONGEST_PAUSE = 30, 900
"""Seconds between attempts of one message; doubles from one to the other."""


@dataclass(frozen=True)
class Application:
    """What outlives an invocation: keys are read once a worker."""

    sender: Sender
    outbox: Outbox


@cache
def _application() -> Application:
    settings = read_settings(Settings, os.environ)

    def clock() -> datetime:
        return datetime.now(UTC)

    poster = None
    if settings.mode is Mode.LIVE:
        secrets = boto3.client("secretsmanager", config=CLIENT_CONFIG)
        poster = XPoster(settings, secrets, clock)
    tables = Tables(
        boto3.client("dynamodb", config=CLIENT_CONFIG),
        tickets=settings.tickets_table,
        replies=settings.replies_table,
    )
    sender = Sender(tables, load_queues(settings.queues_file), settings.rules, poster, clock)
    return Application(
        sender, Outbox(boto3.client("sqs", config=CLIENT_CONFIG), settings.outbox_url)
    )


@metrics.log_metrics
def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    return answer(event, _application())


def answer(event: Mapping[str, Any], application: Application) -> dict[str, list[dict[str, str]]]:
    """Deals with a batch.

    Returns:
        A partial batch response: the messages that stay in the queue.
    """
    messages = event.get("Records", ())
    for at, message in enumerate(messages):
        if not _deal_with(message, application):
            left = messages[at:]
            for behind in left[1:]:
                # Else they would keep the whole account waiting once the first is through.
                _hide(application.outbox, behind, 0)
            return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in left]}
    return {"batchItemFailures": []}


def _deal_with(message: Mapping[str, Any], application: Application) -> bool:
    """Whether a message is done with."""
    outbox, received = application.outbox, int(message["attributes"]["ApproximateReceiveCount"])
    now = application.sender.clock()
    backoff = min(FIRST_PAUSE * 2 ** (received - 1), LONGEST_PAUSE)
    try:
        request = read_request(message["body"])
        logger.append_keys(ticket_id=request.ticket_id)
        outcome = application.sender.answer(request)
    except HeldBackError as error:
        logger.info("held back", extra={"detail": str(error)})
        _count("held_back")
        if isinstance(error.__cause__, AccountRefusedError):
            metrics.add_metric("KeyRefused", MetricUnit.Count, 1)
            logger.error("account refused", extra={"detail": str(error)})
        if received > 1:
            outbox.renew(message)
            return True
        _hide(outbox, message, (error.until - now).total_seconds())
    except ReplyUnsureError as error:
        logger.warning("not known whether it was sent", extra={"detail": str(error)})
        _count("unsure")
        _hide(outbox, message, max((error.until - now).total_seconds(), backoff))
    except TransientError as error:
        logger.warning("failed", extra={"detail": str(error)})
        _count("failed")
        _hide(outbox, message, backoff)
    except VoxlakeError as error:
        # It never succeeds: at once again until it is a dead letter, lest it keeps others waiting.
        logger.error("cannot be answered", extra={"detail": str(error)})
        _count("failed")
        _hide(outbox, message, 0)
    except (ClientError, BotoCoreError) as error:
        logger.error("failed", extra={"detail": repr(error)})
        _count("failed")
        _hide(outbox, message, backoff)
    else:
        logger.info("answered", extra={"outcome": outcome.value})
        _count(outcome.value)
        return True
    return False


def _hide(outbox: Outbox, message: Mapping[str, Any], seconds: float) -> None:
    try:
        outbox.hide(message, seconds)
    except (ClientError, BotoCoreError) as error:
        # Then it comes again after the queue's own time.
        logger.warning("not hidden", extra={"detail": repr(error)})


def _count(outcome: str) -> None:
    metrics.add_metric(f"Replies{outcome.title().replace('_', '')}", MetricUnit.Count, 1)
