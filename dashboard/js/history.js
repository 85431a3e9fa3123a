// What happened to a ticket, as list items.

import { make } from "./dom.js";
import { moment, readable } from "./words.js";

export function history(entries) {
  return entries.map(({ what, at, who, note }) =>
    make(
      "li",
      {},
      make("span", { class: "history-what", text: readable(what) }),
      make("time", { datetime: at, text: moment(at) }),
      ...(who ? [make("span", { class: "quiet", text: `by ${who.replace(/^agent:/, "")}` })] : []),
      ...(note ? [make("p", { dir: "auto", text: note })] : []),
    ),
  );
}
