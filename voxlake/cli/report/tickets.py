"""Who waits for an answer, asked of Athena: tickets; and whether stream and batch path agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from voxlake.measures import MEASURES, of_rows
from voxlake.measures.definitions import STATES

TICKETS = "voxlake_analytics.tickets"

Ask = Callable[[str], list[dict]]


@dataclass(frozen=True)
class Waiting:
    """Tickets of a queue (or all) by state, and how long people waited for the first reply.

    Attributes:
        replied_to: tickets that got one, whatever their state is now.
        median, p90: seconds from the text's arrival; by nearest rank; None where none got one.
    """

    name: str
    states: dict[str, int]
    replied_to: int
    median: float | None
    p90: float | None

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True)
class Agreement:
    """Texts that both paths scored, by the models that did.

    Attributes:
        sentiment, main_emotion, emotions: texts to which both gave the same.
    """

    stream_model: str
    batch_model: str
    texts: int
    sentiment: int
    main_emotion: int
    emotions: int


@dataclass
class Tickets:
    """Attributes:
    overall: all of them.
    queues: those with a ticket, the one with most open tickets first.
    days: {day of the text: {state: tickets}}.
    agreement: by pair of models, the commonest first.
    """

    overall: Waiting = field(default_factory=lambda: Waiting("all", {}, 0, None, None))
    queues: list[Waiting] = field(default_factory=list)
    days: dict[str, dict[str, int]] = field(default_factory=dict)
    agreement: list[Agreement] = field(default_factory=list)


def gather_tickets(ask: Ask, *, names: dict[str, str]) -> Tickets:
    """Asks the warehouse. names: of queues by id.

    Raises QueryError when a table is missing or a query fails.
    """
    found = Tickets(agreement=[Agreement(**row) for row in ask(_AGREEMENT)])
    (overall,) = _waiting(ask, "'all'") or [found.overall]
    found.overall = overall
    queues = [
        Waiting(names.get(one.name, one.name), one.states, one.replied_to, one.median, one.p90)
        for one in _waiting(ask, "queue")
    ]
    found.queues = sorted(queues, key=lambda one: (-one.states["open"], -one.total, one.name))
    for row in ask(
        f"SELECT dt, state, {of_rows(['tickets'], 'n')} FROM {TICKETS} GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        found.days.setdefault(row["dt"], {})[row["state"]] = row["n"]
    return found


def _waiting(ask: Ask, name: str) -> list[Waiting]:
    counts = ", ".join(of_rows([f"{state}_tickets"], state) for state in STATES)
    rows = ask(f"""
        SELECT {name} AS name, {counts}, count(seconds_to_first_reply) AS replied_to,
            {MEASURES["median_seconds"].rows} AS median, {MEASURES["p90_seconds"].rows} AS p90
        FROM {TICKETS} GROUP BY 1 ORDER BY 1""")
    return [Waiting(states={state: row.pop(state) for state in STATES}, **row) for row in rows]


_AGREEMENT = """
    SELECT s.model AS stream_model, b.model AS batch_model, count(*) AS texts,
           count_if(s.sentiment = b.sentiment) AS sentiment,
           count_if(s.main_emotion IS NOT DISTINCT FROM b.main_emotion) AS main_emotion,
           count_if(array_sort(s.emotions) = array_sort(b.emotions)) AS emotions
    FROM voxlake_analytics.stream_scores s
    JOIN voxlake_analytics.texts_scored b ON b.event_id = s.event_id AND b.dt = s.dt
    GROUP BY 1, 2 ORDER BY texts DESC, 1, 2"""


def duration(seconds: float | None) -> str:
    """At most two units: 0.8 s, 45 s, 1 min 5 s, 2 h 3 min, 3 d 4 h; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"),
                                       (60, "min", 1, "s")):  # fmt: skip
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def share(part: int, whole: int) -> str:
    """In percent; 100% and 0% are only said where they are so: 99.98%."""
    if part in (0, whole):
        return f"{part / whole:.0%}"
    return f"{min(max(part / whole, 0.0001), 0.9999):.2%}"


def by_state(days: dict[str, dict[str, int]], drawn: Iterable[str]) -> dict[str, list[int]]:
    """{state: tickets of each drawn day}, of the states that occur."""
    drawn = list(drawn)
    counts = {state: [days.get(day, {}).get(state, 0) for day in drawn] for state in STATES}
    return {state: of_state for state, of_state in counts.items() if any(of_state)}
