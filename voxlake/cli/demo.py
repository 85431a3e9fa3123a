"""`demo`: everything once on this machine, from an empty lake to a report."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from voxlake.cli import laptop, query, reconcile, run, send
from voxlake.cli.options import err, out, program
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError

HOURS = 72  # the mock network's demo covers this many hours
MOCK_CALLS = 4  # one invocation must stay far below the function's timeout

SCORED = "voxlake_analytics.texts_scored"
EMOTIONS = "voxlake_analytics.emotion_daily"
QUESTIONS = {
    "How do people feel, day by day?": f"""
        SELECT dt, count(*) AS texts,
               round(100.0 * sum(CASE WHEN sentiment = 'negative' THEN 1 ELSE 0 END) / count(*), 1)
                 AS negative_percent,
               round(100.0 * sum(CASE WHEN sentiment = 'positive' THEN 1 ELSE 0 END) / count(*), 1)
                 AS positive_percent,
               round(avg(polarity), 3) AS polarity
        FROM {SCORED} GROUP BY dt ORDER BY dt DESC LIMIT 8""",
    "About what?": f"""
        SELECT tracker, count(*) AS texts,
               round(100.0 * sum(CASE WHEN sentiment = 'negative' THEN 1 ELSE 0 END) / count(*), 1)
                 AS negative_percent,
               round(avg(polarity), 3) AS polarity
        FROM {SCORED} CROSS JOIN UNNEST(trackers) AS t (tracker)
        GROUP BY tracker ORDER BY texts DESC LIMIT 8""",
    "Which emotions do people show about the most named tracker?": f"""
        SELECT e.tracker, e.emotion, e.texts, round(100.0 * e.texts / n.texts, 1) AS percent
        FROM (SELECT tracker, emotion, sum(texts) AS texts FROM {EMOTIONS} GROUP BY 1, 2) e
        JOIN (SELECT tracker, count(*) AS texts
              FROM {SCORED} CROSS JOIN UNNEST(trackers) AS t (tracker) WHERE in_scope
              GROUP BY tracker ORDER BY count(*) DESC, tracker LIMIT 1) n ON n.tracker = e.tracker
        WHERE e.texts > 0 ORDER BY e.texts DESC, e.emotion LIMIT 8""",
    "Who and what do they name?": """
        SELECT entity, label, sum(texts) AS texts FROM voxlake_analytics.entities_daily
        WHERE tracker = '(all)' GROUP BY entity, label
        ORDER BY texts DESC, entity LIMIT 8""",
    "Which words mark the negative texts?": """
        SELECT n.word, n.texts AS negative_texts,
               round(100.0 * n.texts / (n.texts + coalesce(p.texts, 0)), 1) AS negative_percent
        FROM (SELECT word, sum(texts) AS texts FROM voxlake_analytics.word_frequencies
              WHERE sentiment = 'negative' AND tracker = '(all)' GROUP BY word) n
        LEFT JOIN (SELECT word, sum(texts) AS texts FROM voxlake_analytics.word_frequencies
              WHERE sentiment <> 'negative' AND tracker = '(all)' GROUP BY word) p
          ON p.word = n.word
        WHERE 1.0 * n.texts / (n.texts + coalesce(p.texts, 0)) > 0.6
        ORDER BY n.texts DESC LIMIT 8""",
}


class DemoError(VoxlakeError):
    """The demo's own checks failed: something sent did not arrive or does not add up."""


def demo(
    events: Annotated[int, typer.Option(min=1, help="How many events the mock sends.")] = 8_000,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Your own posts instead of the mock's."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop the laptop cloud at the end.")] = False,
) -> None:
    """Starts an empty laptop cloud, deploys, sends, runs, reconciles, answers, writes a report.

    The laptop cloud is left running to be queried. One that runs already is stopped first.

    Example: voxlake demo --file tweets.jsonl.gz
    """
    from voxlake.cli.report.verb import write_report

    began = time.monotonic()
    laptop.start(fresh=True)
    target = Target()
    try:
        if file:
            quiet_mock(target)
            sent = send.send_file(target, str(file))
            count = sent.records
            err.print(f"Sent {count:,} records of {escape(file.name)} in {sent.seconds:.1f} s")
            for refused in sent.refused[:5]:
                err.print(f"  line {refused['line']} was not sent: {refused['reason']}")
        else:
            count = send_mock(target, events)
        landed = send.wait_until_landed(target, count)
        err.print(f"The consumer landed {landed:,} records; running the batch path")
        done = run.follow(target, show=run.Progress())
        run.summary(done)
        out.print("\n[bold]Can the counts be trusted?[/bold]")
        accounts = reconcile.ask(target)
        reconcile.show(accounts)
        for question, sql in QUESTIONS.items():
            out.print(f"\n[bold]{question}[/bold]")
            query.show(query.ask(target, sql))
        path = write_report(target)
        out.print(f"\nReport: {path.as_uri()}", soft_wrap=True)
    finally:
        if once:
            laptop.down()
    out.print(f"The demo took {time.monotonic() - began:.0f} s.")
    if not once:
        out.print("The laptop cloud is still up. Next:")
        for line in ('query "SELECT …"', "status", "send FILE", "run", "down"):
            out.print(f"  {program()} {line}")
    if accounts["unaccounted"]:
        raise DemoError(f"{accounts['unaccounted']:,} records are unaccounted for")


def quiet_mock(target: Target) -> None:
    """Disables the mock server's schedule, so that only the file's records are in the lake."""
    client = target.client("events")
    function = target.client("lambda").get_function_configuration(
        FunctionName=target.output("MockServerFunction")
    )["FunctionArn"]
    for rule in client.list_rule_names_by_target(TargetArn=function)["RuleNames"]:
        client.disable_rule(Name=rule)
    err.print("The mock server's schedule is off: only your file goes in")


def send_mock(target: Target, events: int) -> int:
    """Has the mock server send `events` events of the last HOURS; returns the records put.

    Raises DemoError when the function fails.
    """
    sent = 0
    for call in range(MOCK_CALLS):
        share = events // MOCK_CALLS + (1 if call < events % MOCK_CALLS else 0)
        if not share:
            continue
        answer = target.client("lambda").invoke(
            FunctionName=target.output("MockServerFunction"),
            Payload=json.dumps({"events": share, "hours": HOURS, "seed": call + 1}),
        )
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise DemoError(f"the mock server failed: {payload.get('errorMessage', payload)}")
        sent += payload["sent"]
    err.print(f"The mock server put {sent:,} records on the stream ({HOURS} hours of traffic)")
    return sent
