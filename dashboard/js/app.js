// Which view is shown; the address after # says so: #/video/ID, #/tracker/ID, #/tickets, #/pipeline.

import { ApiError } from "./api.js";
import { forgetFailures, setUpConnection, steadyCall } from "./connection.js";
import { byId, make, setText, show } from "./dom.js";
import { LiveView } from "./live.js";
import { Pipeline } from "./pipeline.js";
import { TicketsView } from "./tickets.js";
import { decoded } from "./words.js";
import { videoId } from "./youtube.js";

const TITLES = { live: "Feelings", tickets: "Tickets", pipeline: "Pipeline" };
const live = new LiveView();
const tickets = new TicketsView();
const trackers = new Map(); // id -> name
let leaving = new AbortController();

function route() {
  leaving.abort();
  leaving = new AbortController();
  forgetFailures();
  const [first = "", id] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  const name = first === "tickets" || first === "pipeline" ? first : "live";
  for (const other of Object.keys(TITLES)) {
    show(byId(`view-${other}`), other === name);
    const link = document.querySelector(`[data-view="${other}"]`);
    if (other === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${TITLES[name]} · voxlake`;
  if (name === "tickets") tickets.follow(leaving.signal);
  if (name === "live") openSource(first, id);
}

function openSource(kind, id) {
  const video = kind === "video" ? videoId(id ?? "") : null;
  const tracker = kind === "tracker" && id ? id : null;
  byId("tracker").value = tracker && trackers.has(tracker) ? tracker : "";
  wrongVideo(kind === "video" && !video);
  show(byId("start"), !video && !tracker);
  show(byId("live"), false);
  if (video) {
    byId("video").value = video;
    live.follow({ kind: "video", id: video, name: `Video ${video}` }, leaving.signal);
  } else if (tracker) {
    byId("video").value = "";
    live.follow({ kind: "tracker", id: tracker, name: trackers.get(tracker) ?? tracker }, leaving.signal);
  }
}

function wrongVideo(wrong) {
  setText(
    byId("video-error"),
    wrong
      ? "That is no YouTube video. Paste its address, or the 11 characters after “v=” in it."
      : "",
  );
  if (wrong) byId("video").setAttribute("aria-invalid", "true");
  else byId("video").removeAttribute("aria-invalid");
}

function go(hash) {
  // Asking again for what is shown starts it again.
  if (location.hash === hash) route();
  else location.hash = hash;
}

function setUpForms() {
  byId("video-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = videoId(byId("video").value);
    wrongVideo(!id);
    if (id) go(`#/video/${id}`);
    else byId("video").focus();
  });
  byId("video").addEventListener("input", () => wrongVideo(false));
  byId("tracker").addEventListener("change", (event) => {
    if (event.target.value) go(`#/tracker/${encodeURIComponent(event.target.value)}`);
  });
  byId("tracker-form").addEventListener("submit", (event) => event.preventDefault());
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
}

async function loadTrackers() {
  try {
    const answer = await steadyCall("trackers");
    for (const { id, name } of answer.trackers) trackers.set(id, name);
  } catch (error) {
    // A token without this right sees videos all the same.
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  byId("tracker").append(
    ...[...trackers].map(([value, text]) => make("option", { value, text })),
  );
  byId("picks").append(
    ...[...trackers].map(([id, text]) =>
      make("li", {}, make("a", { href: `#/tracker/${encodeURIComponent(id)}`, text })),
    ),
  );
  const [kind, id] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (kind === "tracker" && trackers.has(id)) {
    byId("tracker").value = id;
    setText(byId("source-name"), trackers.get(id));
  }
}

setUpConnection();
setUpForms();
addEventListener("hashchange", route);
route();
loadTrackers();
new Pipeline().watch();
