"""Entry point of text_enricher: a Kinesis batch in, the records to retry out.

Only infrastructure makes it fail; a record that is no valid event is the consumer's business. All
texts of a batch are scored at once, then written in the records' order. Where writing fails, the
first record that is not dealt with is answered as the batch's failure and Lambda resumes there;
where that is the very first, it raises, so that Lambda may halve the batch and the Errors metric
shows it. Everything written may be
written again: a score replaces itself, and a text's ticket is opened once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.settings import read_settings
from lambdas.text_enricher.adapters import (
    BATCH_MESSAGES,
    CLIENT_CONFIG,
    Opened,
    Replies,
    ScoresTable,
    TicketsTable,
)
from lambdas.text_enricher.moods import negatives, tell
from lambdas.text_enricher.records import read_texts
from lambdas.text_enricher.scores import score_items
from lambdas.text_enricher.settings import Settings
from voxlake.errors import TransientError
from voxlake.ids import Pseudonymiser
from voxlake.replies.opt_out import asks_to_stop
from voxlake.scoring import load_model
from voxlake.sources.x import SOURCE as X
from voxlake.tickets import Queues, load_queues
from voxlake.tickets.desk import Case, Desk
from voxlake.tickets.items import ticket_item
from voxlake.tickets.texts import StreamText
from voxlake.trackers import Trackers, load_trackers

logger = Logger()
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake")
metrics = Metrics(namespace=NAMESPACE)

# Written together, and then their tickets: a failure repeats no more than these.
_TEXTS_AT_ONCE = 25
_ID_ATTEMPTS = 20


class EnrichmentError(TransientError):
    """The first text of a batch could not be written; the batch is to be retried."""


@dataclass(frozen=True)
class Application:
    """What outlives an invocation: the models are loaded once a worker."""

    settings: Settings
    people: Pseudonymiser
    trackers: Trackers
    desk: Desk
    scores: ScoresTable
    tickets: TicketsTable
    replies: Replies | None = None
    """None where replies are off."""
    clock: Callable[[], float] = time.time


@cache
def _application() -> Application:
    settings = read_settings(Settings, os.environ)
    secret = boto3.client("secretsmanager", config=CLIENT_CONFIG).get_secret_value(
        SecretId=settings.pseudonym_secret_arn
    )["SecretString"]
    trackers = load_trackers()
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    return Application(
        settings,
        Pseudonymiser.from_secret(json.loads(secret)),
        trackers,
        Desk(
            load_model(settings.models / "encoder", threads=settings.threads),
            load_model(settings.models / "complaint_reason"),
            _queues(settings),
            trackers,
        ),
        ScoresTable(dynamodb, settings.scores_table),
        TicketsTable(dynamodb, settings.tickets_table),
        Replies(
            boto3.client("sqs", config=CLIENT_CONFIG),
            settings.outbox_url,
            dynamodb,
            settings.replies_table,
        )
        if settings.outbox_url
        else None,
    )


def _queues(settings: Settings) -> Queues:
    """The queues; our account on X, which no text names by a handle, is one of ours."""
    queues = load_queues(settings.queues_file)
    if not settings.x_account_id:
        return queues
    ours = {*queues.own_authors.get(X, ()), settings.x_account_id}
    return replace(queues, own_authors={**queues.own_authors, X: tuple(sorted(ours))})


@metrics.log_metrics
def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    return enrich(event, _application())


def enrich(event: Mapping[str, Any], application: Application) -> dict[str, list[dict[str, str]]]:
    """Scores a batch and opens its tickets.

    Returns:
        A partial batch response: empty, or the record to resume at.

    Raises:
        EnrichmentError: the first record itself is the one to resume at.
        UnexpectedRecordError: the records are not Kinesis records.
    """
    read = read_texts(
        event.get("Records", ()),
        application.people,
        application.trackers,
        max_future=application.settings.max_future,
    )
    metrics.add_metric("RecordsSkipped", MetricUnit.Count, read.skipped)
    reading = application.desk.read(read.texts)
    scores = reading.scores
    cases = {case.at: case for case in application.desk.cases(read.texts, reading)}
    scored = list(zip(read.texts, scores, strict=True))
    # The place that is being written, and tickets whose replies are still to be asked for: the
    # first of these places is what a failure is answered with.
    at, opened = 0, 0
    unasked: list[tuple[int, str]] = []
    try:
        for start in range(0, len(read.texts), _TEXTS_AT_ONCE):
            at = start
            now = application.clock()
            part = range(start, min(start + _TEXTS_AT_ONCE, len(read.texts)))
            _write_scores(application, [(read.texts[one], scores[one]) for one in part], now)
            for at in part:
                if application.replies and _wants_none(application, read.texts[at]):
                    application.replies.opt_out(read.texts[at], datetime.fromtimestamp(now, UTC))
                if at in cases:
                    ticket = _open(application, read.texts[at], scores[at], cases[at])
                    if ticket is not None:
                        opened += ticket.new
                        unasked += [(at, ticket.ticket_id)] if application.replies else []
                metrics.add_metric("SecondsToScore", MetricUnit.Seconds, now - read.arrivals[at])
            if application.replies:
                _ask(application.replies, application.clock, read.texts, unasked)
    except (ClientError, BotoCoreError, TransientError) as error:
        at = min([at, *(place for place, _ in unasked)])
        logger.error("text not written", extra={"error": repr(error)})
        _count(scored[:at], opened)
        if read.sequences[at] == read.first:
            raise EnrichmentError(
                f"expected scores and tickets of {len(read.texts)} texts to be written, found "
                f"{error!r} at the first; the batch is retried"
            ) from error
        return {"batchItemFailures": [{"itemIdentifier": read.sequences[at]}]}
    _count(scored, opened)
    return {"batchItemFailures": []}


def _write_scores(
    application: Application, scored: Sequence[tuple[StreamText, Mapping[str, Any]]], now: float
) -> None:
    days = application.settings.score_days
    application.scores.write(
        [
            item
            for text, score in scored
            for item in score_items(text, score, scored_at=now, days=days)
        ]
    )


def _open(
    application: Application, text: StreamText, score: Mapping[str, Any], case: Case
) -> Opened | None:
    """Opens a text's ticket unless it has one; see `TicketsTable.open`."""

    def make(ticket_id: str) -> dict[str, Any]:
        return ticket_item(
            ticket_id=ticket_id,
            queue=case.sorted.queue,
            text={**text.identity, "text": text.text, "author_id": text.author_id, **score},
            kind=case.verdict.kind or "",
            confidence=case.verdict.confidence,
            queue_score=case.sorted.score,
            reason=case.reason,
            opened_at=opened_at,
        )

    opened_at = datetime.fromtimestamp(application.clock(), UTC)
    ids = (application.desk.ticket_id(text, case, attempt) for attempt in range(_ID_ATTEMPTS))
    return application.tickets.open(make, ids)


def _ask(
    replies: Replies,
    clock: Callable[[], float],
    texts: Sequence[StreamText],
    unasked: list[tuple[int, str]],
) -> None:
    """Asks for replies and takes from the list what was asked for.

    A ticket that was there before may be one whose asking failed, so it is asked for again.
    """
    while unasked:
        asked = unasked[:BATCH_MESSAGES]
        tickets = [(ticket_id, texts[place].source) for place, ticket_id in asked]
        replies.ask(tickets, datetime.fromtimestamp(clock(), UTC))
        del unasked[: len(asked)]


def _wants_none(application: Application, text: StreamText) -> bool:
    """Whether a text is to us and asks for no more replies."""
    return asks_to_stop(text.text) and application.desk.is_to_us(text)


def _count(scored: Sequence[tuple[StreamText, Mapping[str, Any]]], opened: int) -> None:
    tell(NAMESPACE, negatives(scored))
    metrics.add_metric("TextsScored", MetricUnit.Count, len(scored))
    metrics.add_metric("TicketsOpened", MetricUnit.Count, opened)
