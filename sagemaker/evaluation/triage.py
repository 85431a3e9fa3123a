"""Measures "needs a reply" and the queues: `python sagemaker/evaluation/triage.py --help`.

Needs a reply, on a labelled file of tweets to airlines (`--data`, with label and negativereason):

- gold: a negative tweet needs a reply, a positive one does not. Of the neutral ones those that ask
  for something do; which these are was judged by hand for the dev part (airline_dev_asks.txt, ids
  only). A file without such a list is measured on complaints alone.
- needs a reply: complaint or question, against that gold.
- complaints: complaints alone against negative alone, so no judgement of ours is in it.
- praise answered: how many positive tweets would get a ticket, by the file's own labels.

Queues, for complaints as the file's negativereason says (`Can't Tell` left out) and for the made-up
sentences of queues.jsonl, whose queues were set by hand; `part` says which of these sentences
the weights were chosen on (tune) and which were not looked at (measure).

--write writes the figures and the confusion matrix into a Markdown file between its marks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.ids import Pseudonymiser
from voxlake.scoring import load_model
from voxlake.scoring.prepare import plain_words
from voxlake.text.clean import clean_text
from voxlake.tickets import load_queues
from voxlake.tickets.desk import Desk
from voxlake.tickets.queues import UNSORTED, Queues
from voxlake.tickets.texts import StreamText
from voxlake.tickets.triage import CANNOT_TELL, COMPLAINT, Verdict
from voxlake.times import format_rfc3339, parse_rfc3339
from voxlake.trackers import load_trackers

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
EXAMPLES = HERE / "queues.jsonl"
ASKS = HERE / "airline_dev_asks.txt"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_ARRIVAL = "2026-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Row:
    """A labelled text. queue: its gold queue, None where the file tells none."""

    id: str
    text: str
    label: str | None = None
    queue: str | None = None
    part: str | None = None


def read_tweets(path: Path, queues: Queues) -> list[Row]:
    """Rows of a file with text, label, negativereason; the reason's queue as queues.yaml says."""
    queue_of = {reason: queue.id for queue in queues.queues for reason in queue.reasons}
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    documents = [json.loads(line) for line in data.splitlines()]
    return [
        Row(
            str(one["id"]),
            # Names of reasons that somebody put into the texts would give the answer away.
            plain_words(one["text"]),
            one["label"],
            queue_of.get(one.get("negativereason") or CANNOT_TELL),
        )
        for one in documents
    ]


def read_examples(path: Path) -> list[Row]:
    """Rows of queues.jsonl."""
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Row(f"example-{at}", one["text"], None, one["queue"], one["part"])
        for at, one in enumerate(documents)
    ]


def as_stream(rows: Iterable[Row]) -> list[StreamText]:
    """The rows as the function would have them: cleaned, masked, tagged."""
    trackers = load_trackers()
    people = Pseudonymiser("k0", b"only for measuring")
    found = []
    for row in rows:
        text = clean_text(row.text, "file", people, trackers.kept_handles)
        found.append(
            StreamText(
                event_id=row.id,
                event_type="post",
                dt=_ARRIVAL[:10],
                source="file",
                native_id=row.id,
                thread_id=None,
                author="somebody",
                author_id=people.pseudonym("file", "somebody"),
                channel=None,
                text=text,
                occurred_at=_ARRIVAL,
                arrived_at=format_rfc3339(parse_rfc3339(_ARRIVAL)),
                trackers=tuple(trackers.match(text)),
            )
        )
    return found


def binary(gold: Sequence[bool], said: Sequence[bool]) -> dict:
    """n, precision, recall and f1 of yes."""
    gold, said = [bool(one) for one in gold], [bool(one) for one in said]
    both = sum(g and s for g, s in zip(gold, said, strict=True))
    precision, recall = both / max(1, sum(said)), both / max(1, sum(gold))
    return {
        "n": len(gold),
        "yes": sum(gold),
        "said_yes": sum(said),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
    }


def needs_reply(rows: list[Row], verdicts: dict[int, Verdict], asking: set[str] | None) -> dict:
    """The figures on "needs a reply"; see the module."""
    kinds = [verdicts[at].kind if at in verdicts else None for at in range(len(rows))]
    negative = [row.label == "negative" for row in rows]
    complaints = [kind == COMPLAINT for kind in kinds]
    praise = [row.label == "positive" for row in rows]
    found = {
        "complaints": binary(negative, complaints),
        "praise_answered": sum(p and k is not None for p, k in zip(praise, kinds, strict=True)),
        "praise": sum(praise),
    }
    if asking is not None:
        gold = [n or row.id in asking for n, row in zip(negative, rows, strict=True)]
        found["needs_reply"] = binary(gold, [kind is not None for kind in kinds])
    return found


def queue_figures(gold: Sequence[str], said: Sequence[str], order: Sequence[str]) -> dict:
    """n, accuracy, macro recall over the queues in the gold, share unsorted, confusion."""
    confusion = {name: Counter() for name in order if name in set(gold)}
    for one, other in zip(gold, said, strict=True):
        confusion[one][other] += 1
    recalls = [counts[name] / counts.total() for name, counts in confusion.items()]
    right = sum(counts[name] for name, counts in confusion.items())
    return {
        "n": len(gold),
        "accuracy": round(right / max(1, len(gold)), 4),
        "macro_recall": round(sum(recalls) / max(1, len(recalls)), 4),
        "unsorted": round(sum(one == UNSORTED for one in said) / max(1, len(said)), 4),
        "confusion": {
            name: {other: counts[other] for other in order} for name, counts in confusion.items()
        },
    }


def measure(desk: Desk, tweets: list[Row], examples: list[Row], asking: set[str] | None) -> dict:
    """All figures, as one document."""
    order = [queue.id for queue in desk.queues.queues]
    texts = as_stream(tweets)
    verdicts = {case.at: case.verdict for case in desk.cases(texts, desk.read(texts))}
    found = {"model": desk.model, **needs_reply(tweets, verdicts, asking)}
    sorted_rows = [row for row in tweets if row.queue]
    found["queues"] = {}
    for name, rows in (
        ("negativereason", sorted_rows),
        ("examples, tune", [row for row in examples if row.part == "tune"]),
        ("examples, measure", [row for row in examples if row.part == "measure"]),
    ):
        places = desk.sort([text.text for text in as_stream(rows)])
        found["queues"][name] = queue_figures(
            [row.queue for row in rows], [place.queue for place in places], order
        )
    return found


def markdown(found: dict, queues: Queues) -> str:
    """The figures for people."""
    lines = [f"Model `{found['model']}`.", ""]
    lines += ["| decision | texts | need one | said so | precision | recall |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for key, name in (("needs_reply", "needs a reply"), ("complaints", "complaints alone")):
        if key in found:
            one = found[key]
            lines.append(
                f"| {name} | {one['n']:,} | {one['yes']:,} | {one['said_yes']:,} "
                f"| {one['precision']:.1%} | {one['recall']:.1%} |"
            )
    lines += ["", f"Praise that would get a ticket: {found['praise_answered']} of "
              f"{found['praise']} tweets labelled positive.", ""]  # fmt: skip
    prefix = {queue.id: queue.prefix for queue in queues.queues}
    for name, one in found["queues"].items():
        lines += [
            f"Queues, {name}: {one['n']:,} texts, accuracy {one['accuracy']:.1%}, macro recall "
            f"{one['macro_recall']:.1%}, unsorted {one['unsorted']:.1%}. Rows are right, columns "
            "said.",
            "",
            "| | " + " | ".join(prefix.values()) + " |",
            "| --- |" + " ---: |" * len(prefix),
        ]
        for gold, counts in one["confusion"].items():
            cells = " | ".join(str(counts[other]) for other in prefix)
            lines.append(f"| {prefix[gold]} {queues.named(gold).name} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def write_between_marks(path: Path, text: str) -> None:
    """Puts the figures into a Markdown file, between its marks."""
    document = path.read_text(encoding="utf-8")
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"expected the marks {BEGIN} and {END} in {path}, found none; add them")
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


def parser(description: str) -> argparse.ArgumentParser:
    """What triage.py and tune_triage.py are both told."""
    options = argparse.ArgumentParser(description=description.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="airline tweets, JSON lines, .gz")
    options.add_argument("--asks", type=Path, default=ASKS, help="ids of neutral tweets that ask")
    options.add_argument("--encoder", type=Path, default=MODELS / "encoder")
    options.add_argument("--reasons", type=Path, default=MODELS / "complaint_reason")
    options.add_argument("--queues", type=Path, help="another queues.yaml")
    options.add_argument("--examples", type=Path, default=EXAMPLES)
    options.add_argument("--threads", type=int, default=1)
    return options


def load(options: argparse.Namespace) -> tuple[Desk, list[Row], list[Row], set[str] | None]:
    """The desk, the tweets, the sentences, and the ids of tweets that ask where they fit the data.

    Raises:
        VoxlakeError, OSError: a model or a file is not there or not what it should be.
    """
    queues = load_queues(options.queues)
    desk = Desk(
        load_model(options.encoder, threads=options.threads),
        load_model(options.reasons),
        queues,
        load_trackers(),
    )
    tweets = read_tweets(options.data, queues)
    known = {line for line in options.asks.read_text().split() if line.isdigit()}
    asking = known if known <= {row.id for row in tweets} else None
    return desk, tweets, read_examples(options.examples), asking


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(__doc__)
    options.add_argument("--write", type=Path, help="Markdown file that takes the figures")
    options.add_argument("--json", action="store_true", help="print JSON for a script to read")
    options = options.parse_args(argv)
    try:
        desk, tweets, examples, asking = load(options)
        found = measure(desk, tweets, examples, asking)
    except (VoxlakeError, OSError) as error:
        print(f"triage: {error}", file=sys.stderr)
        return 1
    text = markdown(found, desk.queues)
    if options.write:
        write_between_marks(options.write, text)
    print(json.dumps(found, indent=2) if options.json else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
