"""Charts as inline SVG whose colours are the page's own variables: they follow its theme."""

from __future__ import annotations

from html import escape

from voxlake.cli.report.shares import SENTIMENTS, Split

WIDTH = 920
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 34


def _ticks(top: float) -> list[float]:
    """Three to five round values from 0 to at least `top`."""
    step = 1.0
    while top / step > 5:
        step *= 2.5 if str(step).lstrip("0.").startswith("2") else 2
    return [step * i for i in range(int(top // step) + 2)]


def _frame(title: str, height: int, body: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'preserveAspectRatio="xMidYMid meet"><title>{escape(title)}</title>{"".join(body)}</svg>'
    )


def _grid_line(y: float, label: str, *, css: str = "grid") -> str:
    return (
        f'<line class="{css}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _axis_labels(names: list[str], x_of, height: int) -> list[str]:
    """Labels under the columns, thinned so that they do not run into one another."""
    every = max(1, -(-len(names) // 9))
    labels = []
    for i, name in enumerate(names):
        if i % every:
            continue
        x = x_of(i)
        anchor = "end" if x > WIDTH - 40 else "middle"  # the last one must not run out of the frame
        labels.append(
            f'<text class="tick" x="{x:.1f}" y="{height - 12}" text-anchor="{anchor}">'
            f"{escape(name)}</text>"
        )
    return labels


def stacked_columns(
    title: str, names: list[str], series: dict[str, list[int]], classes: dict[str, str]
) -> str:
    """Columns of counts, one per name, stacked by series; `classes` gives each its CSS class."""
    height = 240
    totals = [sum(values[i] for values in series.values()) for i in range(len(names))]
    ticks = _ticks(max([*totals, 1]))
    inner_w, inner_h = WIDTH - LEFT - RIGHT, height - TOP - BOTTOM
    slot = inner_w / max(1, len(names))
    bar = min(64.0, slot * 0.72)

    def x_of(i: int) -> float:
        return LEFT + slot * (i + 0.5)

    def y_of(value: float) -> float:
        return TOP + inner_h * (1 - value / ticks[-1])

    body = [_grid_line(y_of(t), f"{t:,.0f}") for t in ticks]
    for i, name in enumerate(names):
        base = 0
        for key, values in series.items():
            if not values[i]:
                continue
            top, bottom = y_of(base + values[i]), y_of(base)
            body.append(
                f'<rect class="{classes[key]}" x="{x_of(i) - bar / 2:.1f}" y="{top:.1f}" '
                f'width="{bar:.1f}" height="{max(0.6, bottom - top):.1f}">'
                f"<title>{escape(name)}: {values[i]:,} {escape(key)}</title></rect>"
            )
            base += values[i]
    return _frame(title, height, body + _axis_labels(names, x_of, height))


def share_bands(title: str, splits: list[Split], names: list[str]) -> str:
    """Shares of negative, neutral and positive over time as three bands that add up to 100%."""
    height = 240
    inner_w, inner_h = WIDTH - LEFT - RIGHT, height - TOP - BOTTOM
    last = max(1, len(splits) - 1)

    def x_of(i: float) -> float:
        return LEFT + inner_w * (i / last if len(splits) > 1 else 0.5)

    def y_of(share: float) -> float:
        return TOP + inner_h * (1 - share)

    columns = splits if len(splits) > 1 else splits * 2
    xs = [x_of(i) for i in range(len(columns))] if len(splits) > 1 else [LEFT, WIDTH - RIGHT]
    base = [0.0] * len(columns)
    body = []
    for sentiment in SENTIMENTS:
        top = [b + s.share(sentiment) for b, s in zip(base, columns, strict=True)]
        upper = " ".join(f"{x:.1f},{y_of(t):.1f}" for x, t in zip(xs, top, strict=True))
        lower = " ".join(
            f"{x:.1f},{y_of(b):.1f}" for x, b in zip(reversed(xs), reversed(base), strict=True)
        )
        body.append(f'<polygon class="{sentiment}" points="{upper} {lower}"/>')
        base = top
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = y_of(share)
        body.append(_grid_line(y, f"{share:.0%}", css="grid over"))
    return _frame(title, height, body + _axis_labels(names, x_of, height))


def stacked_rows(splits: list[Split]) -> str:
    """One horizontal bar of 100% per tracker, as HTML, with shares and n in words."""
    rows = []
    for split in splits:
        parts = "".join(
            f'<span class="{s}" style="width:{100 * split.share(s):.2f}%" '
            f'title="{split.share(s):.0%} {s}">'
            f"{f'{split.share(s):.0%}' if split.share(s) >= 0.08 else ''}</span>"
            for s in SENTIMENTS
        )
        rows.append(
            f'<div class="row"><div class="name">{escape(split.name)}</div>'
            f'<div class="bar">{parts}</div><div class="n">{split.total:,}</div></div>'
        )
    return f'<div class="rows">{"".join(rows)}</div>'


def small_area(title: str, shares: list[float], top: float) -> str:
    """A share over time as a filled line, small; `top` is the highest share the frame holds."""
    width, height = 220, 64
    values = shares if len(shares) > 1 else (shares or [0.0]) * 2
    step = width / max(1, len(values) - 1)
    points = [f"{step * i:.1f},{height * (1 - value / top):.1f}" for i, value in enumerate(values)]
    line = " ".join(points)
    return (
        f'<svg class="small" viewBox="0 -2 {width} {height + 3}" role="img" '
        f'aria-label="{escape(title)}" preserveAspectRatio="none"><title>{escape(title)}</title>'
        f'<polygon class="area" points="0,{height} {line} {width},{height}"/>'
        f'<polyline class="edge" points="{line}"/></svg>'
    )
