// Counts that grow with each text and never need the texts again.

import { EMOTIONS, SENTIMENTS } from "./words.js";

const DAY = 86_400;
export const STEPS = [1, 10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, DAY, 7 * DAY, 30 * DAY, 365 * DAY];
const MOST_BUCKETS = 60;

// Texts by when they were written, in at most 60 buckets: where time grows beyond them, two or
// more become one.
export class Timeline {
  constructor() {
    this.level = 0;
    this.buckets = new Map(); // start in seconds -> [positive, neutral, negative]
    this.first = Infinity;
    this.last = -Infinity;
  }

  get step() {
    return STEPS[this.level];
  }

  add(seconds, sentiment) {
    const at = SENTIMENTS.indexOf(sentiment);
    if (at < 0 || !Number.isFinite(seconds)) return;
    this.first = Math.min(this.first, seconds);
    this.last = Math.max(this.last, seconds);
    while ((this.last - this.first) / this.step > MOST_BUCKETS && this.level < STEPS.length - 1) {
      this.level += 1;
      this.#fold();
    }
    this.#bucket(seconds)[at] += 1;
  }

  // [[start in seconds, positive, neutral, negative], …], oldest first.
  rows() {
    return [...this.buckets]
      .sort(([one], [other]) => one - other)
      .map(([start, counts]) => [start, ...counts]);
  }

  #bucket(seconds) {
    const start = Math.floor(seconds / this.step) * this.step;
    if (!this.buckets.has(start)) this.buckets.set(start, [0, 0, 0]);
    return this.buckets.get(start);
  }

  #fold() {
    const before = this.buckets;
    this.buckets = new Map();
    for (const [start, counts] of before) {
      const bucket = this.#bucket(start);
      counts.forEach((count, at) => {
        bucket[at] += count;
      });
    }
  }
}

// The ids of the last ten to twenty thousand texts: enough to know a repeated one, and bounded.
export class Recent {
  constructor(most = 10_000) {
    this.most = most;
    this.newer = new Set();
    this.older = new Set();
  }

  // Whether the id is new.
  add(id) {
    if (this.newer.has(id) || this.older.has(id)) return false;
    if (this.newer.size >= this.most) {
      this.older = this.newer;
      this.newer = new Set();
    }
    this.newer.add(id);
    return true;
  }
}

export class Tally {
  constructor() {
    this.total = 0;
    this.judged = 0; // texts that the model tells the emotions of
    this.sentiments = { positive: 0, neutral: 0, negative: 0 };
    this.emotions = Object.fromEntries(Object.keys(EMOTIONS).map((name) => [name, 0]));
    this.timeline = new Timeline();
  }

  add(text) {
    this.total += 1;
    if (text.sentiment in this.sentiments) this.sentiments[text.sentiment] += 1;
    if (Array.isArray(text.emotions) && text.in_scope !== false) {
      this.judged += 1;
      for (const name of text.emotions) if (name in this.emotions) this.emotions[name] += 1;
    }
    this.timeline.add(Date.parse(text.occurred_at) / 1000, text.sentiment);
  }

  // [{name, count, share}], most frequent first; equal ones by name.
  ranking() {
    return Object.entries(this.emotions)
      .map(([name, count]) => ({ name, count, share: this.judged ? count / this.judged : 0 }))
      .sort((one, other) => other.count - one.count || one.name.localeCompare(other.name));
  }

  share(sentiment) {
    const told = SENTIMENTS.reduce((sum, name) => sum + this.sentiments[name], 0);
    return told ? this.sentiments[sentiment] / told : null;
  }
}
