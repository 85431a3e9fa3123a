"""Scores texts and says which of them get a ticket, and in which queue. No AWS, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from voxlake.tickets.ids import make_ticket_id
from voxlake.tickets.queues import Queues
from voxlake.tickets.sorting import QueueSorter, Sorted
from voxlake.tickets.texts import StreamText
from voxlake.tickets.triage import Verdict, decide, excluded, reason_certainty
from voxlake.times import parse_rfc3339
from voxlake.trackers import Trackers

REASON = "complaint_reason"


class Encoder(Protocol):
    """`voxlake.scoring.encoder.Encoder`."""

    id: str
    heads: tuple[str, ...]

    def score_and_embed(
        self, texts: list[str], heads: Sequence[str]
    ) -> tuple[list[dict[str, Any]], np.ndarray]: ...
    def embed(self, texts: list[str]) -> np.ndarray: ...


class ReasonModel(Protocol):
    """A model of the task complaint_reason."""

    id: str

    def score_texts(self, texts: list[str]) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Reading:
    """The encoder's score of each text, and their embeddings, float [texts, dimensions]."""

    scores: list[dict[str, Any]]
    vectors: np.ndarray


@dataclass(frozen=True)
class Case:
    """A text that needs a reply.

    Attributes:
        at: its place among the texts given.
        reason: the likeliest complaint reason, None where the model knows none.
    """

    at: int
    verdict: Verdict
    sorted: Sorted
    reason: str | None


class Desk:
    """Everything that is loaded once and asked often.

    Args:
        reasons: None where no complaint-reason model is at hand; queues are then told by the
            embedding and the keywords.
    """

    def __init__(
        self, encoder: Encoder, reasons: ReasonModel | None, queues: Queues, trackers: Trackers
    ) -> None:
        self.queues = queues
        self._encoder = encoder
        self._reason_model = reasons
        self._own = queues.own_accounts(trackers)
        self.embed = encoder.embed
        self._sorter = QueueSorter(queues, encoder.embed)

    @property
    def model(self) -> str:
        """Id of the model in every score."""
        return self._encoder.id

    def read(self, texts: Sequence[StreamText]) -> Reading:
        """What the encoder says of each text, all heads, in order."""
        said = [text.text for text in texts]
        return Reading(*self._encoder.score_and_embed(said, self._encoder.heads))

    def cases(self, texts: Sequence[StreamText], reading: Reading) -> list[Case]:
        """The texts that need a reply, in order. reading: of `read`."""
        possible = [at for at, text in enumerate(texts) if self.is_to_us(text)]
        reasons = self.reasons([texts[at].text for at in possible])
        judged = [
            (
                at,
                reason,
                decide(texts[at].text, reading.scores[at], reason, self.queues.needs_reply),
            )
            for at, reason in zip(possible, reasons, strict=True)
        ]
        waiting = [one for one in judged if one[2].needs_reply]
        found = self._sorter.sort(
            [texts[at].text for at, _, _ in waiting],
            [reason for _, reason, _ in waiting],
            reading.vectors[[at for at, _, _ in waiting]],
        )
        return [
            Case(at, verdict, place, reason[REASON] if reason_certainty(reason) else None)
            for (at, reason, verdict), place in zip(waiting, found, strict=True)
        ]

    def is_to_us(self, text: StreamText) -> bool:
        """Whether a text is addressed to us, by somebody else, in words of their own."""
        why_not = excluded(
            text.text,
            self._own,
            source=text.source,
            author=text.author,
            channel=text.channel,
        )
        return why_not is None

    def sort(self, texts: list[str]) -> list[Sorted]:
        """The queue of each cleaned text, whether or not it needs a reply."""
        return self._sorter.sort(texts, self.reasons(texts))

    def ticket_id(self, text: StreamText, case: Case, attempt: int = 0) -> str:
        """The id of a case's ticket. attempt: counts up where the id is another text's."""
        return make_ticket_id(
            self.queues.named(case.sorted.queue).prefix,
            parse_rfc3339(text.arrived_at),
            text.source,
            text.native_id,
            attempt=attempt,
        )

    def evidence(self, texts: list[str]) -> dict[str, np.ndarray]:
        """What speaks for each queue; see `QueueSorter.evidence`."""
        return self._sorter.evidence(texts, self.reasons(texts))

    def reasons(self, texts: list[str]) -> list[dict[str, Any] | None]:
        """The complaint-reason model's score of each cleaned text; None without such a model."""
        if self._reason_model is None or not texts:
            return [None] * len(texts)
        return list(self._reason_model.score_texts(texts))
