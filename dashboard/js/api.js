// Calls of the HTTP API, relative to the page: it works under any prefix.

const TOKEN = "voxlake.token";
const TIMEOUT_MS = 20_000;

// What the API or the way to it said. `status` 0: nothing was reached.
export class ApiError extends Error {
  constructor(status, problem = {}, retryAfterSeconds = 0) {
    super(problem.detail || problem.title || problem.message || `The answer was ${status || "missing"}`);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  // Whether the same call may succeed later.
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// The token lies in this tab only: sessionStorage ends with it.
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

// The JSON answer of `v1/<path>`. Raises ApiError; an abort by `signal` passes through.
export async function call(path, { method = "GET", query = {}, body, signal, open = false } = {}) {
  const url = new URL(`v1/${path}`, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json" };
  const used = open ? null : token.get();
  if (used) headers.Authorization = `Bearer ${used}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  let text;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      cache: "no-store",
      credentials: "omit",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { detail: timeout.aborted ? "No answer came in time." : "" });
  }
  const answer = parsed(text);
  if (!response.ok) {
    throw new ApiError(
      response.status,
      answer ?? {},
      Number(response.headers.get("Retry-After")) || 0,
    );
  }
  // A page of a proxy in between is no answer of ours.
  if (answer === null) throw new ApiError(0, { detail: "The answer was no JSON." });
  return answer;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
