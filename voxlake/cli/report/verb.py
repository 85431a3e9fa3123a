"""`report`: writes the HTML report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target, home
from voxlake.errors import VoxlakeError
from voxlake.measures.data_sets import EVENT_KINDS

MODELS = Path("sagemaker/models")
MIN_TEXTS = 5  # an hour or day with fewer is not drawn among the emotions
STATE_COLOURS = {
    "open": "kind-2",
    "replied": "kind-0",
    "suppressed": "kind-3",
    "closed": "kind-4",
}


class ReportError(VoxlakeError):
    """The report cannot be written where it was asked for."""


def report(
    file: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write it; .voxlake/report.html if unsaid."),
    ] = None,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Writes one self-contained HTML file: what people feel, over time and about what.

    Example: voxlake report --out report.html
    """
    path = write_report(Target(stage), file)
    if json_:
        print_json({"report": str(path), "bytes": path.stat().st_size})
    else:
        out.print(path.as_uri(), soft_wrap=True)


def write_report(target: Target, file: Path | None = None) -> Path:
    """Gathers, renders, writes; returns the absolute path. Raises ReportError, QueryError."""
    from voxlake.cli.laptop import project_root
    from voxlake.cli.report.data import gather
    from voxlake.tickets import load_queues
    from voxlake.trackers import load_trackers

    data = gather(
        target,
        names={tracker.id: tracker.name for tracker in load_trackers().trackers},
        queues={queue.id: queue.name for queue in load_queues().by_id.values()},
        models=project_root() / MODELS,
    )
    path = (file or home() / "report.html").absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(data), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write the report to {path}: {error.strerror}") from None
    return path


def render(data) -> str:
    """The page for `data` (a ReportData). Text from the lake is escaped, never markup."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from voxlake.cli.report import charts
    from voxlake.cli.report.doubts import figure
    from voxlake.cli.report.headline import headline
    from voxlake.cli.report.said import LABELS
    from voxlake.cli.report.shares import SENTIMENTS
    from voxlake.cli.report.tickets import STATES, by_state, duration, share
    from voxlake.cli.report.words import cloud

    volumes = {t: [day.get(t, 0) for day in data.volumes.values()] for t in EVENT_KINDS}
    volumes = {t: counts for t, counts in volumes.items() if any(counts)}
    # A single text's emotions are 100%: they would set the scale of all.
    moments = [one for one in data.said.over_time if one.total >= MIN_TEXTS]
    shares = [one.share(emotion) for one in moments for emotion in data.said.emotions]
    scale = max(shares, default=0) or 1.0
    environment = Environment(
        loader=PackageLoader("voxlake.cli.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        data=data,
        headline=headline(data),
        kinds=list(volumes),
        volume_chart=Markup(
            charts.stacked_columns(
                "Events by day and type",
                [short_day(d) for d in data.volumes],
                volumes,
                {t: f"kind-{i}" for i, t in enumerate(volumes)},
            )
        ),
        time_chart=Markup(_time_chart(data)) if data.over_time else "",
        tracker_rows=Markup(charts.stacked_rows(data.trackers)),
        clouds={s: Markup(cloud(s, data.words.get(s, []))) for s in SENTIMENTS},
        sentiments=SENTIMENTS,
        emotion_charts={
            emotion: Markup(chart)
            for emotion, chart in _emotion_charts(data.said, moments, scale).items()
        },
        emotion_scale=scale,
        least_texts=MIN_TEXTS,
        entity_rows={
            kind: Markup(charts.stacked_rows(data.said.entities[label]))
            for label, kind in LABELS.items()
            if label in data.said.entities
        },
        topic_rows=Markup(charts.stacked_rows(data.said.topics)),
        figure=figure,
        states=STATES,
        state_colours=STATE_COLOURS,
        ticket_chart=Markup(_ticket_chart(data, by_state(data.tickets.days, data.volumes))),
        duration=duration,
        share=share,
    )


def _ticket_chart(data, states: dict[str, list[int]]) -> str:
    """Columns of tickets by day and state; empty where no drawn day has one."""
    from voxlake.cli.report import charts

    if not states:
        return ""
    days = [short_day(day) for day in data.volumes]
    return charts.stacked_columns(
        "Tickets by day of the text and state", days, states, STATE_COLOURS
    )


def _emotion_charts(said, moments: list, scale: float) -> dict[str, str]:
    """A small chart for each emotion, `scale` (a share) high."""
    from voxlake.cli.report import charts

    drawn = {}
    for emotion in said.emotions:
        shares = [moment.share(emotion) for moment in moments]
        told = f"{said.overall.share(emotion):.0%} overall, at most {max(shares, default=0):.0%}"
        title = f"{emotion}: share of texts over time, {told}"
        drawn[emotion] = charts.small_area(title, shares, scale)
    return drawn


def _time_chart(data) -> str:
    from voxlake.cli.report import charts

    short = short_time if data.by_hour else short_day
    return charts.share_bands(
        "Share of negative, neutral and positive texts over time",
        data.over_time,
        [short(split.name) for split in data.over_time],
    )


def short_day(day: str) -> str:
    """2015-02-22 -> 22 Feb."""
    found = datetime.fromisoformat(day)
    return f"{found.day} {found:%b}"


def short_time(hour: str) -> str:
    """2015-02-22 13:00 -> 22 Feb 13h."""
    found = datetime.fromisoformat(hour)
    return f"{found.day} {found:%b} {found:%H}h"
