// Sentiment over time: stacked columns by uPlot, and the same as a table.

import { make } from "./dom.js";
import { count, percent } from "./words.js";

const HEIGHT = 220;
const FORMATS = [
  [60, { timeStyle: "medium" }],
  [86_400, { hour: "2-digit", minute: "2-digit" }],
  [30 * 86_400, { day: "numeric", month: "short" }],
  [Infinity, { month: "short", year: "numeric" }],
];

function formatter(spanSeconds, step) {
  const [, format] = FORMATS.find(([limit]) => Math.max(spanSeconds, step) < limit * 2);
  return new Intl.DateTimeFormat(undefined, format);
}

export class TimelineChart {
  constructor(place, details) {
    this.place = place;
    this.details = details;
    this.rows = [];
    this.step = 1;
    this.plot = null;
    new ResizeObserver(() => this.#fit()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
    details.addEventListener("toggle", () => this.#table());
  }

  draw(timeline) {
    this.rows = timeline.rows();
    this.step = timeline.step;
    if (!this.plot) this.#rebuild();
    else this.plot.setData(this.#stacked());
    this.#label();
    this.#table();
  }

  clear() {
    this.rows = [];
    this.plot?.destroy();
    this.plot = null;
    this.place.setAttribute("aria-label", "No texts yet");
    this.#table();
  }

  // uPlot draws series over one another, so the tallest (all) comes first.
  #stacked() {
    const buckets = new Map(this.rows.map(([start, ...counts]) => [start, counts]));
    const starts = this.rows.map(([start]) => start);
    const [first, last] = [starts[0], starts.at(-1)];
    const columns = [[], [], [], []];
    for (let at = first; at <= last; at += this.step) {
      const [positive, neutral, negative] = buckets.get(at) ?? [0, 0, 0];
      columns[0].push(at);
      columns[1].push(positive + neutral + negative);
      columns[2].push(neutral + negative);
      columns[3].push(negative);
    }
    return columns;
  }

  #rebuild() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.rows.length || !this.place.clientWidth) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const bars = window.uPlot.paths.bars({ size: [0.86, 36], radius: 0 });
    const series = (label, name) => ({
      label,
      fill: colour(name),
      stroke: colour(name),
      width: 0,
      paths: bars,
      points: { show: false },
    });
    const axis = {
      stroke: colour("--muted"),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      ticks: { show: false },
      border: { show: false },
    };
    this.plot = new window.uPlot(
      {
        width: this.place.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { time: true, range: (_u, low, high) => [low - this.step, high + this.step] },
          y: { range: (_u, _low, high) => [0, Math.max(4, high * 1.08)] },
        },
        series: [
          {},
          series("positive", "--positive"),
          series("neutral", "--neutral"),
          series("negative", "--negative"),
        ],
        axes: [
          {
            ...axis,
            space: 84,
            size: 30,
            grid: { show: false },
            values: (_u, splits) => {
              const format = formatter((splits.at(-1) ?? 0) - (splits[0] ?? 0), this.step);
              return splits.map((seconds) => format.format(seconds * 1000));
            },
          },
          {
            ...axis,
            size: 44,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000],
            grid: { stroke: colour("--line"), width: 1 },
            values: (_u, splits) => splits.map((value) => count(value)),
          },
        ],
      },
      this.#stacked(),
      this.place,
    );
  }

  #fit() {
    const width = this.place.clientWidth;
    if (!width) return;
    if (!this.plot) this.#rebuild();
    else if (width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  #label() {
    const totals = this.rows.reduce(
      (sum, [, ...counts]) => sum.map((value, at) => value + counts[at]),
      [0, 0, 0],
    );
    const all = totals.reduce((sum, value) => sum + value, 0) || 1;
    const [positive, neutral, negative] = totals.map((value) => percent(value / all));
    const format = formatter(this.rows.at(-1)[0] - this.rows[0][0], this.step);
    const [from, to] = [this.rows[0][0], this.rows.at(-1)[0]].map((s) => format.format(s * 1000));
    this.place.setAttribute(
      "aria-label",
      `Column chart from ${from} to ${to}: ${positive} positive, ${neutral} neutral, ${negative} negative`,
    );
  }

  #table() {
    const body = this.details.querySelector("tbody");
    if (!this.details.open) {
      body.replaceChildren();
      return;
    }
    const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
    body.replaceChildren(
      ...this.rows.map(([start, ...counts]) =>
        make(
          "tr",
          {},
          make("th", { scope: "row", text: format.format(start * 1000) }),
          ...counts.map((value) => make("td", { text: count(value) })),
        ),
      ),
    );
  }
}
