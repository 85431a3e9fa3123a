// What every view shares about the way to the API: signing in, being down, trying again.

import { ApiError, call, token } from "./api.js";
import { announce, byId, setText, show } from "./dom.js";

const LONGEST_WAIT_SECONDS = 30;

// Seconds before the n-th try again (from 1), spread so that pages do not come back at once.
export function backOff(failures, asked = 0, random = Math.random()) {
  const grown = Math.min(LONGEST_WAIT_SECONDS, 2 ** (failures - 1));
  return Math.max(asked, grown * (0.75 + random / 2));
}

// A wait that ends early: `wake` ends all of them (Try now, the tab comes back).
const sleepers = new Set();

export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      sleepers.delete(end);
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const abort = () => {
      clearTimeout(timer);
      sleepers.delete(end);
      reject(signal.reason);
    };
    const timer = setTimeout(end, seconds * 1000);
    sleepers.add(end);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

export function wake() {
  for (const end of [...sleepers]) end();
}

let signedIn = null;

// Resolves when the person has given a token; one form for however many calls wait.
function signIn() {
  if (signedIn) return signedIn;
  const refused = token.get() !== null;
  token.forget();
  // A window in front would keep the form out of reach.
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  show(byId("sign-in"), true);
  setText(
    byId("token-help"),
    refused
      ? "That token was not accepted, or has expired. Paste a fresh one."
      : "Issued by your organisation. Kept in this tab only, until it is closed.",
  );
  announce(refused ? "The token was not accepted." : "Please sign in.");
  byId("token").focus();
  signedIn = new Promise((resolve) => {
    byId("sign-in-form").addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        token.set(byId("token").value.trim());
        byId("token").value = "";
        show(byId("sign-in"), false);
        signedIn = null;
        resolve();
      },
      { once: true },
    );
  });
  return signedIn;
}

// A call that asks for a token where one is missing; other errors pass.
export async function signedCall(path, options = {}) {
  for (;;) {
    const used = token.get();
    try {
      return await call(path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      options.signal?.throwIfAborted();
      // Another call may have got a fresh one meanwhile.
      if (token.get() === used) await signIn();
    }
  }
}

// As `signedCall`, and keeps trying while the API cannot answer.
export async function steadyCall(path, options = {}) {
  for (let failures = 1; ; failures += 1) {
    try {
      const answer = await signedCall(path, options);
      reached();
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError) || !error.passing) throw error;
      const seconds = backOff(failures, error.retryAfterSeconds);
      unreachable(error, seconds);
      await sleep(seconds, options.signal);
    }
  }
}

let down = false;

function unreachable(error, seconds) {
  const why = error.status === 429 ? "It asks for a pause." : "";
  const when = `Trying again in ${Math.max(1, Math.round(seconds))} s.`;
  setText(byId("down-detail"), [why, when].filter(Boolean).join(" "));
  show(byId("down"), true);
  if (!down) announce("voxlake cannot be reached. Trying again by itself.");
  down = true;
}

function reached() {
  if (!down) return;
  down = false;
  show(byId("down"), false);
  announce("voxlake is reached again.");
}

// A view was left: what it waited for concerns nobody any more.
export function forgetFailures() {
  down = false;
  show(byId("down"), false);
}

export function setUpConnection() {
  byId("try-now").addEventListener("click", wake);
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) wake();
  });
}
