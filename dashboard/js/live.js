// The view of one source: reads page after page, counts, and draws at its own pace.

import { Bars } from "./bars.js";
import { sleep, steadyCall, wake } from "./connection.js";
import { announce, batched, byId, setText, show } from "./dom.js";
import { Feed } from "./feed.js";
import { Recent, Tally } from "./tally.js";
import { TimelineChart } from "./timeline_chart.js";
import { clock, count, moment, parseTime, percent, plural, SENTIMENTS } from "./words.js";

const PAGE = 500;
const WAIT_SECONDS = { reading: 1, waiting: 1, tracker: 2 };
const SLOW_SECONDS = 10;
const HIDDEN_SECONDS = 30;

// A video's state in words, and whether it is bad news.
const STATES = {
  unknown: () => ["Not read yet", false],
  waiting: () => ["Asked for; comments come within a minute", false],
  reading: (video) => [`Reading · ${plural(video.texts_read ?? 0, "comment", "comments")} so far`, false],
  done: (video) => [`All read · ${plural(video.texts_read ?? 0, "comment", "comments")}; new ones are looked for`, false],
  not_found: () => ["YouTube knows no such video, or its comments are off", true],
  quota_spent: (video) => [`Today's YouTube quota is spent; reading goes on ${resumes(video)}`, true],
  no_key: () => ["No YouTube key is set, so nothing can be read. Whoever runs voxlake can add one", true],
  off: () => ["Reading YouTube is switched off here", true],
  failed: (video) => [`Reading failed; it is tried again${video.detail ? `. ${video.detail}` : ""}`, true],
};

function resumes(video) {
  const at = parseTime(video.resumes_at);
  if (!at) return "tomorrow";
  return at - Date.now() < 86_400_000 ? `at ${clock(at)}` : moment(video.resumes_at);
}

export class LiveView {
  constructor() {
    this.bars = new Bars(byId("bars"));
    this.chart = new TimelineChart(byId("timeline"), byId("timeline-table"));
    this.feed = new Feed(byId("feed"), byId("feed-empty"));
    this.tally = new Tally();
    this.seen = new Recent();
    this.paused = false;
    this.drawFigures = batched(() => this.#figures(), 100);
    this.drawBars = batched(() => this.bars.draw(this.tally.ranking()), 500);
    this.drawChart = batched(() => this.tally.timeline.buckets.size && this.chart.draw(this.tally.timeline), 500);
    this.drawFeed = batched(() => this.feed.draw(), 250);
    byId("pause").addEventListener("click", () => this.#pause(!this.paused));
  }

  // Follows {kind: "video" | "tracker", id, name} until the signal aborts.
  async follow(source, signal) {
    this.#reset(source);
    const path = `${source.kind}s/${encodeURIComponent(source.id)}`;
    try {
      let cursor; // without one a tracker's newest texts come first
      if (source.kind === "video") {
        const asked = await steadyCall(path, { method: "POST", signal });
        this.#video(asked.video);
        cursor = asked.cursor; // before the video's first text
      }
      await this.#read(path, source, cursor, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#refused(error, source);
    }
  }

  async #read(path, source, start, signal) {
    let cursor = start;
    for (;;) {
      const page = await steadyCall(path, { query: { since: cursor, limit: PAGE }, signal });
      signal.throwIfAborted();
      this.#take(page.texts);
      cursor = page.cursor ?? cursor;
      if (page.video) this.#video(page.video);
      else this.#listening();
      const more = page.more && page.texts.length > 0;
      if (more) await nextFrame();
      else await sleep(this.#wait(source, page.video), signal);
      // Paused: nothing is read, so nothing piles up; the cursor keeps the place.
      while (this.paused) await sleep(HIDDEN_SECONDS, signal);
    }
  }

  #wait(source, video) {
    if (document.hidden) return HIDDEN_SECONDS;
    return WAIT_SECONDS[video ? video.state : source.kind] ?? SLOW_SECONDS;
  }

  // At the end of what there is, the API gives the last seconds again: some may have come late.
  #take(given) {
    const texts = given.filter((text) => this.seen.add(text.event_id));
    if (!texts.length) return;
    for (const text of texts) this.tally.add(text);
    this.feed.add(texts);
    this.drawFigures();
    this.drawBars();
    this.drawChart();
    this.drawFeed();
    const most = this.tally.ranking().slice(0, 3).filter((e) => e.count).map((e) => e.name);
    announce(
      `${plural(this.tally.total, "text", "texts")}${most.length ? `, most shown: ${most.join(", ")}` : ""}`,
      { minor: true },
    );
  }

  #figures() {
    setText(byId("figure-total"), count(this.tally.total));
    for (const name of SENTIMENTS) {
      const share = this.tally.share(name);
      setText(byId(`figure-${name}`), share === null ? "–" : percent(share));
    }
  }

  #video(video) {
    const [words, bad] = (STATES[video.state] ?? STATES.failed)(video);
    this.#state(words, bad);
    if (this.tally.total) return;
    setText(
      byId("feed-empty"),
      { waiting: "Waiting for the first comments…", reading: "Waiting for the first comments…", done: "This video has no comments yet." }[video.state] ?? "Nothing to show yet.",
    );
  }

  #listening() {
    this.#state("Listening; new texts appear by themselves", false);
    if (!this.tally.total) setText(byId("feed-empty"), "Nothing was said about it lately.");
  }

  #state(words, bad) {
    const place = byId("source-state");
    if (place.textContent !== words && bad) announce(words);
    setText(place, words);
    place.classList.toggle("is-bad", bad);
    show(byId("live"), true);
    byId("live").classList.remove("is-loading");
  }

  #refused(error, source) {
    byId("live").classList.remove("is-loading");
    const known = { 403: "Your token does not allow this.", 404: source.kind === "tracker" ? "There is no such tracker." : "YouTube knows no such video." };
    const words = known[error.status] ?? error.message;
    this.#state(words, true);
    if (!this.tally.total) setText(byId("feed-empty"), "Nothing to show.");
  }

  #pause(paused) {
    this.paused = paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    setText(byId("pause"), paused ? "Go on" : "Pause");
    announce(paused ? "Paused." : "Going on.");
    if (!paused) wake();
  }

  #reset(source) {
    this.tally = new Tally();
    this.seen = new Recent();
    this.#pauseQuietly();
    this.feed.clear();
    this.chart.clear();
    this.bars.draw(this.tally.ranking());
    this.#figures();
    setText(byId("source-name"), source.name);
    setText(byId("source-state"), "Loading…");
    byId("source-state").classList.remove("is-bad");
    setText(byId("feed-empty"), "Loading…");
    show(byId("live"), true);
    byId("live").classList.add("is-loading");
  }

  #pauseQuietly() {
    this.paused = false;
    byId("pause").setAttribute("aria-pressed", "false");
    setText(byId("pause"), "Pause");
  }
}

// The browser draws between pages; a hidden tab draws no frames and goes on all the same.
function nextFrame() {
  return new Promise((resolve) => {
    if (document.hidden) setTimeout(resolve, 0);
    else requestAnimationFrame(() => setTimeout(resolve, 0));
  });
}
