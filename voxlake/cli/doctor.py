"""`doctor`: looks whether this machine, or an AWS account, has what voxlake needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target


class Verdict(StrEnum):
    """good; watch: it works, and may not for long; bad: something will fail."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` says what to do where the verdict is not good."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def doctor(stage: Stage = "local", json_: Json = False) -> None:
    """Looks whether everything that voxlake needs is there; exits with 1 where something is bad.

    On the laptop: Python, Java, Node, memory, disk, the laptop cloud. With --stage: credentials,
    bootstrap, stacks, quotas, subscriptions to alarms, alarms.

    Example: voxlake doctor --stage dev
    """
    target = Target(stage)
    if target.is_local:
        from voxlake.cli.doctor_laptop import examine
    else:
        from voxlake.cli.doctor_stage import examine
    findings = list(examine(target))
    if json_:
        print_json([asdict(finding) for finding in findings])
    else:
        show(findings)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)


def show(findings: Iterable[Finding]) -> None:
    """Prints a line a finding, and what to do where something is not good."""
    from rich.markup import escape
    from rich.table import Table

    colours = {Verdict.GOOD: "green", Verdict.WATCH: "yellow", Verdict.BAD: "red"}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for one in findings:
        told = escape(one.found + (f"\n{one.advice}" if one.advice else ""))
        table.add_row(f"[{colours[one.verdict]}]{one.verdict}[/]", escape(one.what), told)
    out.print(table)
