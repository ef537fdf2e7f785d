"""What a page does by itself, and what works without any script: streams, the end of a session, language and look, files, plain HTML."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from browser_people import NARROW, Person

from conftest import Browser
from tonne.people import COMMAND

Come = Callable[..., Person]
#: Nobody reads faster: an approval that comes sooner is refused.
READING_S = 1.2


@pytest.fixture(scope="module")
def others(shared_place: Any, shared_served: Any) -> Iterator[Callable[[str], Browser]]:
    """Somebody else who acts meanwhile, without a window."""
    opened: dict[str, Browser] = {}

    def come(persona: str) -> Browser:
        if persona not in opened:
            opened[persona] = Browser(shared_place.app)
            opened[persona].sign_in(persona)
        return opened[persona]

    yield come
    for browser in opened.values():
        browser.close()


def code(place: Any, persona: str) -> str:
    return str(place.demo.code_of(place.demo.login_of(persona).person))


# -- streams


def test_a_surrender_approved_elsewhere_is_seen_without_a_reload(come: Come, others: Callable[[str], Browser], shared_place: Any) -> None:
    """The operator's home shows that nothing is owed as soon as the second person has approved."""
    place, plan = shared_place, shared_place.demo.plan
    hall, shown = place.demo.hall, shared_place.demo.plan.shown
    with hall.read() as state:
        number = state.accounts.number(shown.accounts[0])
        held = sum(state.books.balance(number, unit) for unit in state.allowance_units())
    operator, verifier = others("operator"), others("verifier")
    report = f"/{hall.system}/reports/{shown.installation}/{plan.year}"
    operator.post_form(report, report, emissions=held)
    verifier.post_form(report, f"/verify/{shown.installation}/{plan.year}", code=code(place, "verifier"))
    review = operator.post_form(f"/{hall.system}/surrender", "/surrender", quantity=held)
    task = operator.post_form(review, "/propose", code=code(place, "operator"))
    assert "/tasks/" in task.url.path

    watcher, approver = come("operator"), come("approver")
    watcher.page.evaluate("window.mark = 'the same page'")
    assert f"{held}EUA" in watcher.figures()
    approver.link(task.url.path.rpartition("/")[2])
    approver.page.wait_for_timeout(1_000 * READING_S)
    approver.send("/approve", code=True)
    watcher.until(
        "() => [...document.querySelectorAll('main .figure-value')].filter(one => one.textContent.replace(/\\s/g, '').match(/^0[A-Z]/)).length >= 2"
    )
    assert watcher.page.evaluate("window.mark") == "the same page"


def bought(others: Callable[[str], Browser], system: str, units: int) -> None:
    """The operator takes what is offered."""
    browser = others("operator")
    form = browser.get(f"/{system}/buy", params={"quantity": units})
    price = re.search(r'name="price"[^>]*value="([^"]+)"', form.text)
    assert price is not None
    done = browser.post_form(browser.post_form(form, "/buy", quantity=units, price=price.group(1), lasting="ioc"), "/buy")
    assert "Bought" in done.text


def newest_trade(person: Person) -> str:
    return re.sub(r"\s+", " ", person.text("[data-region=tape] tbody tr"))


def test_the_market_moves_by_itself_and_locks_the_ticket_when_it_is_lost(
    come: Come, others: Callable[[str], Browser], shared_place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trade appears without a reload. Without a stream its time is told, the ticket locked, Stop not; with it again nothing is missing."""
    place, trader = shared_place, come("trader")
    page = trader.page
    trader.forgiven = ("429",)
    trader.link("/trade/SPOT") if page.locator('main a[href$="/trade/SPOT"]').count() else trader.click('main table a[href*="/trade/"]')
    page.wait_for_selector("[data-stream-state=open]")
    page.evaluate("window.mark = 'the same page'")
    before = newest_trade(trader)
    bought(others, trader.system, 7)
    trader.until("before => document.querySelector('[data-region=tape] tbody tr').innerText.replace(/\\s+/g, ' ') !== before", before)
    assert " 7 " in newest_trade(trader) and page.evaluate("window.mark") == "the same page"

    monkeypatch.setattr(place, "settings", replace(place.settings, streams_most=0))
    place.stopping = True
    place.hub.end()
    page.wait_for_selector("[data-stream-state=lost]")
    place.stopping = False
    assert re.search(r"\d\d:\d\d:\d\d", trader.text("[data-stream-state]"))
    assert page.is_disabled("#ticket [name=price]") and page.is_visible("#ticket [data-locked]") and page.is_enabled("[data-stop]")
    bought(others, trader.system, 9)
    monkeypatch.undo()
    page.wait_for_selector("[data-stream-state=open]")
    trader.until("() => document.querySelector('[data-region=tape] tbody tr').innerText.replace(/\\s+/g, ' ').includes(' 9 ')")
    assert page.is_enabled("#ticket [name=price]") and page.is_hidden("#ticket [data-locked]")
    assert page.evaluate("window.mark") == "the same page"


def test_somebody_suspended_is_at_the_login(come: Come, shared_place: Any) -> None:
    """With the next click, or before it: the stream is shut, and the page that lost its right goes by itself."""
    place, person = shared_place, come("colleague")
    person.forgiven = ("401", "404", "403")
    login = place.demo.login_of("colleague")
    (membership,) = [one for one in place.people.members_of(person.system, "administrator") if one.person == login.person]
    place.people.suspend_membership(membership.id, by=COMMAND, now=datetime.now(UTC))
    try:
        person.page.wait_for_url("**/login**", timeout=15_000)
        person.go(person.here("/admin"))
        assert person.path == "/login"
    finally:
        place.people.restore_membership(membership.id, by=COMMAND, now=datetime.now(UTC))


# -- the session's end, language, look


def test_the_end_of_a_session_is_told_and_put_off(come: Come) -> None:
    """Two minutes before the quarter of an hour is over; one button, no page lost."""
    person = come("operator")
    page = person.page
    page.clock.install()
    person.go(person.here("/transfers/new"))
    page.fill("#field-reason", "half a sentence")
    page.clock.fast_forward("12:30")
    assert page.locator("#session[open]").count() == 0
    page.clock.fast_forward("00:45")
    page.wait_for_selector("#session[open]")
    with page.expect_response("**/session/extend") as answer:
        page.click("[data-extend-session]")
    ends = datetime.fromisoformat(answer.value.json()["ends"])
    assert answer.value.status == 200 and (ends - datetime.now(UTC)).total_seconds() > 800
    page.wait_for_selector("#session:not([open])", state="attached")
    assert page.is_hidden("#session-failed") and page.input_value("#field-reason") == "half a sentence"


def test_a_changed_language_keeps_what_was_typed_and_the_filters(come: Come) -> None:
    person = come("operator")
    page = person.page
    person.go(person.here("/transfers/new"))
    page.fill("#field-quantity", "12")
    page.fill("#field-reason", "half a sentence")
    for language in ("zh-Hans", "zh-Hant", "en"):
        page.click(".top-language > summary")
        page.click(f".top-language [data-language={language}]")
        page.wait_for_url(f"**/{language}/**")
        assert page.locator("html").get_attribute("lang") == language
        assert (page.input_value("#field-quantity"), page.input_value("#field-reason")) == ("12", "half a sentence")
    page.goto(f"{person.served.url}/en/systems?status=in_force")
    page.click(".top-language > summary")
    page.click(".top-language [data-language=zh-Hant]")
    page.wait_for_url("**/zh-Hant/systems?status=in_force")


def test_light_and_dark_last(come: Come) -> None:
    person = come("trader")
    page = person.page
    for look in ("dark", "light"):
        page.click(".top-theme > summary")
        page.click(f".top-theme [data-set-theme={look}]")
        for path in (person.here("/home"), "/systems"):
            person.go(path)
            assert page.evaluate("document.documentElement.dataset.bsTheme") == look
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"


# -- files


@pytest.mark.parametrize("path", ["/participants", "/participants?name=al", "/auctions"])
def test_files_hold_every_row_that_the_page_counts(come: Come, path: str) -> None:
    """Page, CSV and JSON agree, whatever is filtered and however many pages there are."""
    person = come()
    person.go(person.here(path))
    told = int(re.sub(r"\D", "", person.text(".caption-count").partition("row")[0]))
    assert told > 0
    files = {}
    for label in ("CSV", "JSON"):
        with person.page.expect_download() as got:
            person.page.locator(".downloads a").get_by_text(label, exact=True).first.click()
        files[label] = got.value.path().read_text(encoding="utf-8-sig")
    assert len(list(csv.reader(io.StringIO(files["CSV"])))) - 1 == told == len(json.loads(files["JSON"])["rows"])


# -- without a script


def test_public_pages_read_filter_and_turn_without_scripts(come: Come) -> None:
    person = come(java_script_enabled=False, size=NARROW)
    page = person.page
    for path in ("/", "/systems", person.here(), person.here("/law"), person.here("/market"), person.here("/auctions"), person.here("/calendar")):
        assert person.go(path).status == 200 and page.locator("h1").is_visible()
        for picture in page.locator("main img").all()[:2]:
            source = picture.get_attribute("src") or ""
            answer = page.request.get(person.served.url + source)
            assert answer.headers["content-type"].startswith("image/svg+xml"), source
    person.go(person.here("/participants"))
    first = person.text("table.data tbody tr th")
    person.click("a[rel=next]")
    assert "page=2" in page.url and person.text("table.data tbody tr th") != first
    person.click("th a.sort")
    assert page.locator("th[aria-sort]").count() == 1
    page.locator("form.filters input[type=text]").first.fill(first[:4])
    person.click("form.filters button")
    page.wait_for_url(lambda url: f"={first[:4]}" in url)
    page.wait_for_load_state()
    shown = page.locator("#table-participants tbody tr").all_inner_texts()
    assert shown and all(first[:4].lower() in row.lower() for row in shown)
    page.click(".menu-narrow > summary")
    assert page.locator(".menu-narrow .nav-list a").first.is_visible() and page.locator(".needs-script").first.is_hidden()


def test_a_transfer_is_proposed_and_approved_without_scripts(come: Come, shared_place: Any) -> None:
    account = shared_place.demo.plan.people["trader"].accounts[0]
    trader = come("trader", java_script_enabled=False)
    trader.go(trader.here("/transfers/new"))
    target = shared_place.demo.plan.people["second_trader"].accounts[0]
    trader.send("/transfers/new", to="other", other=target, quantity="5", reason="sold")
    assert account in trader.text(".sentence") and target in trader.text(".sentence")
    trader.send("/propose", code=True)
    assert "/tasks/" in trader.path and trader.page.locator("main .state-warning").count() == 1
    time.sleep(READING_S)
    trader.page.reload()
    assert trader.page.locator('main form[action$="/approve"]').count() == 0, "nobody approves what they proposed"
