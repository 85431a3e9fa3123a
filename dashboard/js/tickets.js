// The queue of tickets: filters, newest first, and one ticket's window.

import { signedCall, sleep, steadyCall } from "./connection.js";
import { announce, byId, make, setText, show } from "./dom.js";
import { TicketWindow } from "./ticket_window.js";
import { ago, moment, plural, readable } from "./words.js";

const PAGE = 50;
const REFRESH_SECONDS = 5;

export class TicketsView {
  constructor() {
    this.tickets = new Map(); // id -> ticket, newest first
    this.queues = new Map(); // id -> name, of all that were seen
    this.cursor = null;
    this.round = null;
    this.window = new TicketWindow((ticket) => this.#changed(ticket));
    for (const name of ["queue", "state"]) {
      byId(name).addEventListener("change", () => this.#restart());
    }
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("older").addEventListener("click", () => this.#older());
    byId("tickets").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-ticket]");
      if (button) this.window.open(button.dataset.ticket);
    });
  }

  // Shows tickets, and looks for new ones, until the signal aborts.
  async follow(signal) {
    this.signal = signal;
    signal.addEventListener("abort", () => this.window.close(), { once: true });
    await this.#restart();
  }

  async #restart() {
    this.round?.abort();
    if (!this.signal || this.signal.aborted) return;
    this.round = new AbortController();
    const signal = AbortSignal.any([this.signal, this.round.signal]);
    this.tickets.clear();
    this.cursor = null;
    setText(byId("tickets-state"), "Loading…");
    byId("tickets-state").classList.remove("is-bad");
    try {
      for (let first = true; ; first = false) {
        const page = await steadyCall("tickets", { query: this.#query(), signal });
        signal.throwIfAborted();
        this.#merge(page, first);
        await sleep(document.hidden ? REFRESH_SECONDS * 6 : REFRESH_SECONDS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(error);
    }
  }

  async #older() {
    const signal = this.round.signal;
    byId("older").disabled = true;
    try {
      const page = await signedCall("tickets", { query: { ...this.#query(), since: this.cursor }, signal });
      for (const ticket of page.tickets) this.tickets.set(ticket.ticket_id, ticket);
      this.cursor = page.more ? page.cursor : null;
      this.#draw();
      announce(`${plural(page.tickets.length, "ticket", "tickets")} more`);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    } finally {
      byId("older").disabled = false;
    }
  }

  #query() {
    return { queue: byId("queue").value, state: byId("state").value, limit: PAGE };
  }

  // The newest page over what is shown: a ticket that left the filter's state leaves the list.
  #merge(page, first) {
    const fresh = new Map(page.tickets.map((ticket) => [ticket.ticket_id, ticket]));
    const oldest = page.tickets.at(-1)?.opened_at;
    for (const [id, ticket] of this.tickets) {
      const covered = !page.more || (oldest && ticket.opened_at > oldest);
      if (!fresh.has(id) && !covered) fresh.set(id, ticket);
    }
    const news = first ? 0 : page.tickets.filter((t) => !this.tickets.has(t.ticket_id)).length;
    if (first) this.cursor = page.more ? page.cursor : null;
    this.tickets = fresh;
    this.#draw();
    if (first) announce(byId("tickets-state").textContent);
    else if (news) announce(`${plural(news, "new ticket", "new tickets")}`, { minor: true });
  }

  #draw() {
    const shown = [...this.tickets.values()];
    for (const { queue, queue_name: name } of shown) this.#knowQueue(queue, name);
    const body = byId("tickets");
    const focused = document.activeElement?.dataset?.ticket;
    const rows = new Map([...body.children].map((row) => [row.dataset.key, row]));
    const wanted = shown.map((ticket) => {
      const key = `${ticket.ticket_id} ${ticket.state} ${ticket.queue}`;
      const row = rows.get(key) ?? this.#row(ticket, key);
      setText(row.querySelector("time"), ago(ticket.opened_at));
      return row;
    });
    if (wanted.length !== body.children.length || wanted.some((row, at) => row !== body.children[at])) {
      body.replaceChildren(...wanted);
      if (focused) body.querySelector(`[data-ticket="${CSS.escape(focused)}"]`)?.focus();
    }
    const state = byId("state").value;
    setText(byId("tickets-state"), `${plural(shown.length, "ticket", "tickets")}${this.cursor ? ", older ones below" : ""}`);
    byId("tickets-state").classList.remove("is-bad");
    setText(byId("tickets-empty"), state === "open" ? "Nobody waits for an answer." : "No tickets here.");
    show(byId("tickets-empty"), !shown.length);
    show(byId("older"), Boolean(this.cursor));
  }

  #row(ticket, key) {
    return make(
      "tr",
      { "data-key": key },
      make("th", { scope: "row" }, make("button", { type: "button", class: "link mono", "data-ticket": ticket.ticket_id, text: ticket.ticket_id })),
      make("td", { "data-label": "Queue", text: ticket.queue_name ?? readable(ticket.queue) }),
      make("td", { "data-label": "State" }, make("span", { class: `pill is-${ticket.state}`, text: ticket.state })),
      make("td", { "data-label": "Opened" }, make("time", { datetime: ticket.opened_at, title: moment(ticket.opened_at) })),
      make("td", { "data-label": "Said", class: "said", dir: "auto", text: ticket.text ?? "" }),
    );
  }

  #knowQueue(id, name) {
    if (!id || this.queues.has(id)) return;
    this.queues.set(id, name ?? readable(id));
    const select = byId("queue");
    const chosen = select.value;
    const options = [...this.queues].sort(([, one], [, other]) => one.localeCompare(other));
    select.replaceChildren(
      make("option", { value: "", text: "All queues" }),
      ...options.map(([value, text]) => make("option", { value, text })),
    );
    select.value = chosen;
  }

  #changed(ticket) {
    const wanted = byId("state").value;
    const before = this.tickets.get(ticket.ticket_id);
    if (!before) return;
    if (wanted && ticket.state !== wanted) this.tickets.delete(ticket.ticket_id);
    else this.tickets.set(ticket.ticket_id, { ...before, ...ticket, queue: before.queue, queue_name: before.queue_name });
    this.#draw();
  }

  #failed(error) {
    setText(byId("tickets-state"), error.status === 403 ? "Your token does not allow this." : error.message);
    byId("tickets-state").classList.add("is-bad");
    announce(byId("tickets-state").textContent);
  }
}
