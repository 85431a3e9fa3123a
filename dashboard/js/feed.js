// The latest texts: never more than a hundred in the document.

import { make, show } from "./dom.js";
import { EMOTIONS, moment, SENTIMENTS, sourceName } from "./words.js";

export const LATEST = 100;

export class Feed {
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
    this.waiting = [];
  }

  // Keeps what is new until the next draw; of more than a hundred, the newest.
  add(texts) {
    this.waiting.push(...texts.slice(-LATEST));
    if (this.waiting.length > LATEST) this.waiting = this.waiting.slice(-LATEST);
  }

  draw() {
    if (!this.waiting.length) return;
    const fresh = this.waiting.reverse().map(item);
    this.waiting = [];
    const scroller = this.list.parentElement;
    const held = scroller.scrollTop;
    const before = this.list.scrollHeight;
    const room = LATEST - fresh.length;
    while (this.list.childElementCount > room) this.list.lastElementChild.remove();
    this.list.prepend(...fresh);
    // Who has scrolled down to read stays where they are.
    if (held > 0) scroller.scrollTop = held + (this.list.scrollHeight - before);
    show(this.empty, false);
  }

  clear() {
    this.waiting = [];
    this.list.replaceChildren();
    show(this.empty, true);
  }
}

function item(text) {
  const tone = SENTIMENTS.includes(text.sentiment) ? text.sentiment : "neutral";
  const emotions = Array.isArray(text.emotions) ? text.emotions.filter((e) => e in EMOTIONS) : [];
  const meta = make(
    "p",
    { class: "said-meta" },
    make("span", { class: `tone is-${tone}`, text: tone }),
    make("time", { datetime: text.occurred_at, text: moment(text.occurred_at) }),
    make("span", { class: "quiet", text: sourceName(text.source) }),
  );
  if (text.in_scope === false) {
    meta.append(make("span", { class: "quiet", text: "outside what the model knows" }));
  }
  const parts = [meta, make("p", { class: "said-text", dir: "auto", text: text.text ?? "" })];
  if (emotions.length) {
    parts.push(
      make(
        "ul",
        { class: "chips", "aria-label": "Emotions" },
        ...emotions.map((name) => make("li", { class: `chip is-${EMOTIONS[name]}`, text: name })),
      ),
    );
  }
  return make("li", {}, ...parts);
}
