"""Tickets: who may see them, lists and filters, what agents do, and what the customer sees."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.dashboard.pages import BAG, FEE
from tests.servers.web_api import ticket
from voxlake.tickets.errors import TicketIdError
from voxlake.tickets.ids import parse_ticket_id


def test_who_is_not_signed_in_is_asked_for_a_token_kept_in_this_tab(open_page, api):
    api.token = "right"
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page("#/tickets")
    field = page.get_by_label("Access token")
    expect(field).to_be_focused()
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_text("That token was not accepted")).to_be_visible()
    field.fill("right")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name=BAG)).to_be_visible()
    expect(field).to_be_hidden()
    kept = page.evaluate("[localStorage.length, document.cookie, Object.values(sessionStorage)]")
    assert kept == [0, "", ["right"]]


def test_a_token_that_expires_while_a_ticket_is_open_can_be_renewed(open_page, api):
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page("#/tickets")
    page.get_by_role("button", name=BAG).click()
    expect(page.get_by_role("button", name="Suppress")).to_be_visible()
    api.token = "fresh"
    page.get_by_role("button", name="Suppress").click()
    expect(page.get_by_label("Access token")).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.type("fresh")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody waits for an answer.")).to_be_visible()
    assert api.tickets[BAG]["state"] == "suppressed"


def test_tickets_are_filtered_by_queue_and_state(open_page, api):
    api.add(
        ticket(BAG, "baggage_issue", "where is my bag"),
        ticket(FEE, "extra_charges", "charged twice", minutes=1),
        ticket("WEB-0", "online_booking", "thanks, solved", state="closed"),
    )
    page = open_page("#/tickets")
    rows = page.locator("#tickets tr")
    expect(rows).to_contain_text(["charged twice", "where is my bag"])
    page.get_by_label("Queue").select_option("Baggage Issue")
    expect(rows).to_contain_text(["where is my bag"])
    expect(rows).to_have_count(1)
    page.get_by_label("Queue").select_option("All queues")
    page.get_by_label("State").select_option("Closed")
    expect(rows).to_contain_text(["thanks, solved"])
    page.get_by_label("State").select_option("Suppressed")
    expect(page.get_by_text("No tickets here.")).to_be_visible()


def test_older_tickets_come_when_asked_for(open_page, api):
    api.add(*(ticket(f"BAG-{n:03d}", "baggage_issue", f"bag {n}", minutes=n) for n in range(70)))
    page = open_page("#/tickets")
    expect(page.locator("#tickets tr")).to_have_count(50)
    page.get_by_role("button", name="Show older").click()
    expect(page.locator("#tickets tr")).to_have_count(70)
    expect(page.locator("#tickets tr").last).to_contain_text("bag 0")
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()


def test_an_agent_closes_a_ticket_with_a_note(open_page, api):
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page("#/tickets")
    page.get_by_role("button", name=BAG).click()
    window = page.get_by_role("dialog", name=BAG)
    window.get_by_label("Note").fill("found, on its way")
    window.get_by_role("button", name="Close ticket").click()
    expect(window).to_be_hidden()
    expect(page.get_by_text("Nobody waits for an answer.")).to_be_visible()
    assert api.tickets[BAG]["state"] == "closed"
    assert api.tickets[BAG]["history"][-1]["note"] == "found, on its way"
    page.get_by_label("State").select_option("Closed")
    page.get_by_role("button", name=BAG).click()
    expect(window.get_by_text("found, on its way")).to_be_visible()
    expect(window.get_by_role("button", name="Close ticket")).to_be_hidden()


def test_of_two_agents_the_slower_is_told_and_sees_what_was_done(open_page, api):
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page("#/tickets")
    page.get_by_role("button", name=BAG).click()
    window = page.get_by_role("dialog", name=BAG)
    expect(window.get_by_role("button", name="Suppress")).to_be_visible()
    api.tickets[BAG] |= {"state": "replied", "revision": 2}
    window.get_by_role("button", name="Suppress").click()
    expect(window.get_by_role("alert")).to_contain_text(f"{BAG} is replied")
    expect(window.get_by_role("button", name="Reopen")).to_be_visible()


def test_a_reply_goes_to_the_outbox_in_an_agents_words(open_page, api):
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page("#/tickets")
    page.get_by_role("button", name=BAG).click()
    page.get_by_label("Reply").fill("It is in Boston")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_text(f"The reply to {BAG} is on its way")).to_be_attached()
    assert api.replies == [{"ticket_id": BAG, "text": "It is in Boston"}]


def test_a_customer_sees_a_ticket_by_its_number(open_page, api):
    api.token = "agents only"
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page(f"ticket.html?id={BAG.lower().replace('-', ' ')}")
    expect(page.get_by_role("heading", name=BAG)).to_be_visible()
    expect(page.locator("#found")).to_contain_text("nobody has answered yet")
    expect(page.locator("#found")).to_contain_text("Baggage Issue")
    assert "where is my bag" not in page.content()
    page.get_by_label("Ticket number").fill(FEE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("There is no ticket with this number.")


def test_a_mistyped_number_is_noticed_before_anything_is_asked(open_page, api):
    slip = BAG[:-1] + ("0" if BAG[-1] != "0" else "1")
    page = open_page(f"ticket.html#{slip}")
    expect(page.get_by_role("alert")).to_contain_text("This number has a slip in it")
    assert not [r for r, _ in api.log if r.path.startswith("/v1/")]


def test_the_page_reads_numbers_as_the_command_line_does(open_page):
    written = [BAG, BAG.lower(), "fee 0", "", "BAG-6F8VY4-YCSS7", BAG.replace("0", "o")]
    written += [BAG[:n] + c + BAG[n + 1 :] for n in range(4, len(BAG)) for c in "05KZ"]

    def expected(one: str) -> str | None:
        try:
            return parse_ticket_id(one).text
        except TicketIdError:
            return None

    found = open_page("ticket.html").evaluate(
        "async (all) => { const { readTicketId } = await import('./js/ticket_id.js');"
        " return all.map((one) => readTicketId(one).id ?? null); }",
        written,
    )
    assert found == [expected(one) for one in written]
    assert any(found)
