// The public page of one ticket: `ticket.html#BAG-…` or `ticket.html?id=BAG-…`.

import { ApiError, call } from "./api.js";
import { byId, setText, show } from "./dom.js";
import { history } from "./history.js";
import { readTicketId } from "./ticket_id.js";
import { ago, decoded } from "./words.js";

const WORDS = {
  open: (ticket) => `We have it, and nobody has answered yet. It came in ${ago(ticket.opened_at)}.`,
  replied: (ticket) => `We have answered, ${ago(ticket.updated_at)}.`,
  suppressed: (ticket) => `We have it. It came in ${ago(ticket.opened_at)}.`,
  closed: (ticket) => `This is settled, since ${ago(ticket.updated_at)}.`,
};
let asked = 0;

async function lookUp(typed) {
  const mine = (asked += 1);
  show(byId("found"), false);
  wrong("");
  if (!typed.trim()) return;
  const { id, error } = readTicketId(typed);
  if (error) {
    wrong(error);
    return;
  }
  byId("id").value = id;
  try {
    const ticket = await call(`tickets/${id}`, { open: true });
    if (mine === asked) draw(ticket);
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem;
    if (mine === asked) wrong(refusal(problem));
  }
}

function refusal(problem) {
  if (problem.status === 404) return "There is no ticket with this number.";
  if (problem.passing) return "Tickets cannot be looked up right now. Please try again in a minute.";
  return problem.message;
}

function draw(ticket) {
  setText(byId("found-id"), ticket.ticket_id);
  setText(byId("found-words"), (WORDS[ticket.state] ?? WORDS.suppressed)(ticket));
  setText(byId("found-queue"), ticket.queue);
  setText(byId("found-hours"), ticket.hours ?? "");
  byId("found-history").replaceChildren(...history(ticket.history ?? []));
  document.title = `Ticket ${ticket.ticket_id}`;
  show(byId("found"), true);
}

function wrong(words) {
  setText(byId("id-error"), words);
  if (words) byId("id").setAttribute("aria-invalid", "true");
  else byId("id").removeAttribute("aria-invalid");
}

function fromAddress() {
  const typed = decoded(location.hash.slice(1))
    || new URLSearchParams(location.search).get("id")
    || "";
  byId("id").value = typed;
  lookUp(typed);
}

byId("ticket-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = byId("id").value;
  const { id } = readTicketId(typed);
  // The address then names the ticket, so that it can be kept.
  if (id && location.hash !== `#${id}`) location.hash = id;
  else lookUp(typed);
});
addEventListener("hashchange", fromAddress);
fromAddress();
