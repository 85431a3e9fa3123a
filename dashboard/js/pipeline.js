// How the pipeline does: a word in the header, and a view with the figures.

import { ApiError } from "./api.js";
import { signedCall, sleep } from "./connection.js";
import { byId, make, setText } from "./dom.js";
import { ago, duration, readable } from "./words.js";

const EVERY_SECONDS = 15;
const WORDS = { ok: "On time", late: "Late", down: "Down" };
const REPLIES = { off: "Off", dry_run: "Dry run: recorded, not sent", live: "Live" };

export class Pipeline {
  // Asks for ever; a page that waits for a token asks nothing.
  async watch() {
    for (;;) {
      try {
        this.#draw(await signedCall("health"));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#say("unreachable", error.passing ? "Unreachable" : "Unknown");
        setText(byId("pipeline-state"), error.passing ? "voxlake cannot be reached." : error.message);
      }
      await sleep(document.hidden ? EVERY_SECONDS * 4 : EVERY_SECONDS);
    }
  }

  #draw(health) {
    this.#say(health.status, WORDS[health.status] ?? readable(health.status));
    const states = {
      ok: "Everything that was said is being read as it comes.",
      late: "Texts come in later than they should.",
      down: "The pipeline stands still. Its operator has been told.",
    };
    setText(byId("pipeline-state"), states[health.status] ?? "");
    const lag = health.stream?.lag_seconds;
    const run = health.batch?.last_run;
    const figures = [
      ["Behind the stream", health.stream && (lag === null || lag === undefined ? "unknown" : duration(lag))],
      ["Newest text", health.newest_text && (health.newest_text.arrived_at ? ago(health.newest_text.arrived_at) : "none yet")],
      ["Last batch run", health.batch && (run ? `${readable(run.state.toLowerCase())}, ${run.ended_at ? ago(run.ended_at) : "under way"}` : "none yet")],
      ["Replies", health.replies && (REPLIES[health.replies.mode] ?? readable(health.replies.mode))],
    ];
    byId("pipeline").replaceChildren(
      ...figures
        .filter(([, value]) => value)
        .map(([name, value]) => make("div", {}, make("dt", { text: name }), make("dd", { class: "words", text: value }))),
    );
  }

  #say(status, word) {
    byId("health-chip").dataset.status = status;
    setText(byId("health-word"), word);
    byId("health-chip").setAttribute("aria-label", `Pipeline: ${word}`);
  }
}
