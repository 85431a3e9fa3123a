// The eleven bars: they grow, and change places when one overtakes another.

import { calm, make, setText } from "./dom.js";
import { count, EMOTIONS, finePercent } from "./words.js";

export class Bars {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
    for (const [name, tone] of Object.entries(EMOTIONS)) {
      const fill = make("span", { class: `bar-fill is-${tone}` });
      const share = make("span", { class: "bar-share" });
      const texts = make("span", { class: "bar-count" });
      const row = make(
        "li",
        { "data-emotion": name },
        make("span", { class: "bar-name", text: name }),
        make("span", { class: "bar-track", "aria-hidden": "true" }, fill),
        share,
        texts,
      );
      this.rows.set(name, { row, fill, share, texts });
      list.append(row);
    }
  }

  draw(ranking) {
    // The longest bar fills most of its track; the scale moves in steps, so that bars grow.
    const scale = Math.max(0.2, Math.ceil((ranking[0]?.share ?? 0) * 5) / 5);
    for (const { name, count: texts, share } of ranking) {
      const parts = this.rows.get(name);
      parts.fill.style.transform = `scaleX(${share / scale})`;
      setText(parts.share, finePercent(share));
      setText(parts.texts, count(texts));
    }
    this.#arrange(ranking.map(({ name }) => this.rows.get(name).row));
  }

  // The order in the document is the order on screen; rows glide from where they were.
  #arrange(wanted) {
    const present = [...this.list.children];
    if (wanted.every((row, at) => row === present[at])) return;
    const glides = !calm.matches && this.list.offsetParent !== null;
    const before = glides ? new Map(present.map((row) => [row, row.offsetTop])) : null;
    this.list.append(...wanted);
    if (!glides) return;
    for (const row of wanted) {
      const shift = before.get(row) - row.offsetTop;
      if (shift) {
        row.animate([{ transform: `translateY(${shift}px)` }, { transform: "none" }], {
          duration: 350,
          easing: "ease-out",
        });
      }
    }
  }
}
