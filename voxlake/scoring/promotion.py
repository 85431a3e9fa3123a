"""May a model become `best`: the rules, and the decision as it is stored with the model.

Judged on the gate's half of held-out sets (`voxlake.scoring.gold.in_gate`), which training never
gets. A candidate has to beat the model in use by more than the noise on its main head, be worse on
no guarded head, and cost no more time than the limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from voxlake.scoring.significance import Difference


@dataclass(frozen=True)
class Limits:
    """What counts as worse.

    guarded_loss: a guarded head may fall by this much of its figure (half a point), as long as
    that may be chance. latency_ratio and latency_slack_ms: the candidate's median time of one
    text may be the best's times the ratio plus the slack.
    """

    guarded_loss: float = 0.005
    latency_ratio: float = 1.25
    latency_slack_ms: float = 0.5

    def __post_init__(self) -> None:
        if self.guarded_loss < 0 or self.latency_ratio < 1 or self.latency_slack_ms < 0:
            raise ValueError(f"expected losses of 0 or more and a ratio of 1 or more, found {self}")


@dataclass(frozen=True)
class GateSet:
    """The gate's half of one set: `sha256` is `gold.fingerprint`'s gate_sha256 of its file."""

    data: str
    task: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Head:
    """One head of both models on one gate set."""

    gate: GateSet
    difference: Difference


@dataclass(frozen=True)
class Decision:
    """Whether `model` becomes best in place of `against` (None: nothing is in use), and why."""

    model: str
    against: str | None
    promoted: bool
    reasons: tuple[str, ...]
    heads: tuple[Head, ...]
    latency_ms: Mapping[str, float]
    limits: Limits

    def to_dict(self) -> dict:
        """As it is stored; the first head is the main one."""
        return {
            "model": self.model,
            "against": self.against,
            "decision": "promoted" if self.promoted else "refused",
            "reasons": list(self.reasons),
            "heads": [
                {
                    **asdict(head.gate),
                    "guarded": number > 0,
                    **head.difference._asdict(),
                }
                for number, head in enumerate(self.heads)
            ],
            "latency_p50_ms": dict(self.latency_ms),
            "limits": asdict(self.limits),
        }


def seen_before(gate: Sequence[GateSet], provenance: Mapping | None) -> list[str]:
    """Why a model may not be judged on a gate set; empty when it may.

    provenance: a model's data.json, {"sets": [{"data", "use", "rows", "gate_sha256"}]}:
    `gate_sha256` is the digest of those rows of the set that lie in the gate's half, "" for none.
    """
    if not provenance or "sets" not in provenance:
        return [
            "the model does not say what data it was trained and tuned on (data.json): train it "
            "with `voxlake train`"
        ]
    return [
        f"{one.data}: the gate's texts were used to {used['use']} the model ({used['data']})"
        for one in gate
        for used in provenance["sets"]
        if used.get("gate_sha256") and used["gate_sha256"] == one.sha256
    ]


def decide(
    model: str,
    against: str | None,
    heads: Sequence[Head],
    latency_ms: Mapping[str, float],
    *,
    provenance: Mapping | None,
    limits: Limits | None = None,
) -> Decision:
    """The decision about a candidate.

    heads: the main one first, the guarded ones behind it. latency_ms: the median milliseconds of
    one text, {"candidate": .., "best": ..}. With nothing in use there is nothing to beat: heads
    and latency may be empty, and what the model was tuned on decides nothing yet.
    """
    limits = limits or Limits()
    if against is None:
        reasons: list[str] = []
    else:
        reasons = seen_before([head.gate for head in heads], provenance)
        reasons += [
            problem
            for number, head in enumerate(heads)
            if (problem := (_guarded(head, limits) if number else _main(head)))
        ]
        allowed = latency_ms["best"] * limits.latency_ratio + limits.latency_slack_ms
        if latency_ms["candidate"] > allowed:
            reasons.append(
                f"latency: {latency_ms['candidate']:.2f} ms a text, expected at most "
                f"{allowed:.2f} ms ({limits.latency_ratio:g} times the best's plus "
                f"{limits.latency_slack_ms:g} ms)"
            )
    promoted = not reasons
    if promoted:
        reasons = [_beats(heads[0]) if against else "nothing was in use yet"]
    return Decision(
        model, against, promoted, tuple(reasons), tuple(heads), dict(latency_ms), limits
    )


def _main(head: Head) -> str:
    found = head.difference
    if found.low > 0:
        return ""
    return (
        f"{head.gate.task} on {head.gate.data}: {found.figure} {found.candidate:.4f} does not beat "
        f"{found.best:.4f} by more than the noise (gain {found.gain:+.4f}, 95% between "
        f"{found.low:+.4f} and {found.high:+.4f})"
    )


def _guarded(head: Head, limits: Limits) -> str:
    found = head.difference
    if found.gain >= -limits.guarded_loss and found.high >= 0:
        return ""
    return (
        f"{head.gate.task} on {head.gate.data} is guarded and got worse: {found.figure} "
        f"{found.candidate:.4f} against {found.best:.4f} (gain {found.gain:+.4f})"
    )


def _beats(head: Head) -> str:
    found = head.difference
    return (
        f"{head.gate.task} on {head.gate.data}: {found.figure} {found.candidate:.4f} beats "
        f"{found.best:.4f} (gain {found.gain:+.4f}, 95% between {found.low:+.4f} and "
        f"{found.high:+.4f})"
    )
