// One ticket: what was said, what happened, and what an agent may do.

import { ApiError } from "./api.js";
import { signedCall } from "./connection.js";
import { announce, byId, make, setText, show } from "./dom.js";
import { history } from "./history.js";
import { moment, readable } from "./words.js";

// State -> [action, what the button says]; `reply` asks for a reply, the others change the state.
const ACTIONS = {
  open: [["reply", "Send reply"], ["close", "Close ticket"], ["suppress", "Suppress"]],
  replied: [["reopen", "Reopen"], ["close", "Close ticket"]],
  suppressed: [["reopen", "Reopen"], ["close", "Close ticket"]],
  closed: [],
};
const DONE = { close: "closed", suppress: "suppressed", reopen: "open again" };

export class TicketWindow {
  // `changed` is told the details of a ticket after each action.
  constructor(changed) {
    this.changed = changed;
    this.dialog = byId("ticket");
    this.ticket = null;
    byId("ticket-dismiss").addEventListener("click", () => this.close());
    byId("ticket-form").addEventListener("submit", (event) => event.preventDefault());
    byId("ticket-actions").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-action]");
      if (button) this.#act(button.dataset.action);
    });
  }

  async open(id) {
    this.ticket = null;
    this.id = id;
    setText(byId("ticket-id"), id);
    setText(byId("ticket-facts"), "Loading…");
    for (const part of ["ticket-text", "ticket-error"]) setText(byId(part), "");
    for (const part of ["reply", "note"]) byId(part).value = "";
    byId("ticket-actions").replaceChildren();
    byId("ticket-history").replaceChildren();
    show(byId("ticket-form"), false);
    byId("ticket-public").href = `ticket.html#${id}`;
    this.dialog.showModal();
    await this.#load(id);
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  async #load(id) {
    try {
      const ticket = await signedCall(`tickets/${encodeURIComponent(id)}/details`);
      if (this.id === id) this.#draw(ticket);
    } catch (error) {
      this.#failed(error);
    }
  }

  #draw(ticket) {
    this.ticket = ticket;
    const parts = [
      ticket.queue_name ?? readable(ticket.queue),
      ticket.state,
      ticket.kind,
      ticket.reason,
      `opened ${moment(ticket.opened_at)}`,
    ];
    setText(byId("ticket-facts"), parts.filter(Boolean).join(" · "));
    setText(byId("ticket-text"), ticket.text ?? "");
    const actions = ACTIONS[ticket.state] ?? [];
    byId("ticket-actions").replaceChildren(
      ...actions.map(([action, text], at) =>
        make("button", { type: "button", "data-action": action, class: at ? "" : "primary", text }),
      ),
    );
    show(byId("ticket-form"), actions.length > 0);
    show(byId("reply-part"), actions.some(([action]) => action === "reply"));
    byId("ticket-history").replaceChildren(...history(ticket.history ?? []));
  }

  async #act(action) {
    const id = this.ticket.ticket_id;
    setText(byId("ticket-error"), "");
    this.#busy(true);
    try {
      if (action === "reply") await this.#reply(id);
      else await this.#change(id, action);
    } catch (error) {
      if (error.status === 409) {
        // Somebody was faster: show what is there now, and say why nothing was done.
        await this.#load(id);
        if (this.ticket) this.changed(this.ticket);
      }
      this.#failed(error);
    } finally {
      this.#busy(false);
    }
  }

  async #change(id, action) {
    const note = byId("note").value.trim();
    const body = { action, revision: this.ticket.revision, ...(note && { note }) };
    const ticket = await signedCall(`tickets/${encodeURIComponent(id)}/actions`, { method: "POST", body });
    byId("note").value = "";
    this.#draw(ticket);
    this.changed(ticket);
    announce(`${id} is ${DONE[action]}`);
    this.close();
  }

  async #reply(id) {
    const text = byId("reply").value.trim();
    await signedCall("replies", { method: "POST", body: { ticket_id: id, ...(text && { text }) } });
    byId("reply").value = "";
    announce(`The reply to ${id} is on its way`);
    this.close();
  }

  #busy(busy) {
    for (const button of byId("ticket-actions").children) button.disabled = busy;
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    setText(byId("ticket-error"), error.status ? error.message : "voxlake cannot be reached; please try again.");
    if (!this.ticket) setText(byId("ticket-facts"), "");
  }
}
