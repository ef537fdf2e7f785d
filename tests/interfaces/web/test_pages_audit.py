"""The auditor's pages: every entry, its hash, the market as it stood; a changed entry is named; who has looked is on the trail."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tonne.interfaces.views.holdings import by_kind
from tonne.interfaces.web.pages import audit_jobs as jobs
from tonne.interfaces.web.place import Hall, Place
from tonne.store.desk import replay_to

Visit = Callable[[str], Any]


def hall_of(place: Place) -> Hall:
    hall: Hall = place.demo.hall
    return hall


def said(page: Any) -> str:
    return re.sub(r"[ \n\t\r]+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))


def ended(browser: Any, page: Any) -> Any:
    """The page of a check once it is over."""
    for _ in range(600):
        if "refresh" not in page.headers:
            return page
        time.sleep(0.1)
        page = browser.get(str(page.url))
    raise AssertionError("the check does not end")


# -- the log


def test_the_log_is_the_auditors_first_page(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    page = browser.get(f"/{hall.system}/home")
    assert page.status_code == 200 and "The log" in said(page) and hall.desk.log.head().hash.hex() in page.text


def test_pages_of_the_log_leave_no_entry_out(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    seen: list[int] = []
    path = f"/{hall.system}/audit"
    for _ in range(3):
        page = browser.get(path)
        seen += [int(one) for one in re.findall(r'href="[^"]*/audit/log/(\d+)"', page.text)]
        older = re.search(r'rel="next" href="([^"]+)"', page.text)
        assert older
        path = unescape(older.group(1))
    head = hall.desk.log.head().sequence
    assert seen == list(range(head, head - 150, -1))


def test_filters_find_a_refusal_by_its_name(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    rows = browser.get(f"/{hall.system}/audit.json", params={"kind": "clear_auction"}).json()["rows"]
    assert len(rows) > 100 and {row["kind"] for row in rows} == {"clear_auction"}
    nothing = browser.get(f"/{hall.system}/audit", params={"kind": "clear_auction", "outcome": "malformed"})
    assert "No entry fits" in said(nothing)


def test_an_entry_in_full(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    entry = hall.entry("allocate:2025")
    assert entry is not None
    page = browser.get(f"/{hall.system}/audit/log/{entry.sequence}")
    words = said(page)
    assert "Its hash fits what it holds" in words and bytes(entry.hash).hex() in page.text and "total-quantity" in words and "allocated" in words
    assert browser.get(f"/{hall.system}/audit/log/999999999").status_code == 404
    assert browser.get(f"/{hall.system}/audit/log/x").status_code == 404


def test_bids_are_sealed_until_the_auction_is_held(shared_place: Place, look: Visit) -> None:
    """Whoever reads the log does not read the bids of an auction that is still open."""
    hall, browser = hall_of(shared_place), look("auditor")
    with hall.read() as state:
        name = next(name for name, sale in state.exchange.sales.items() if sale["bids"])
    found = None
    for line in hall.desk.log.headlines(limit=200, kind="bid"):
        entry = hall.entry(line.command_id)
        if entry is not None and f'"{name}"'.encode() in entry.command:
            found = line.sequence
            break
    assert found is not None
    page = browser.get(f"/{hall.system}/audit/log/{found}")
    assert "Sealed until the auction is held" in said(page) and "price" not in said(page).lower().split("what was sent")[1].split("page of")[0]


# -- verify


def verify(browser: Any, hall: Hall, **fields: Any) -> Any:
    return ended(
        browser,
        browser.post_form(
            f"/{hall.system}/audit/verify", "/audit/verify", **{"how": "chain", "first": 1, "last": hall.desk.log.head().sequence, **fields}
        ),
    )


def test_a_sound_log_has_no_fault(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    before = hall.sequence
    page = verify(browser, hall)
    head = hall.desk.log.head().sequence
    assert "No fault was found" in said(page) and f"{head:,}".replace(",", "\u202f") in page.text
    part = verify(browser, hall, first=100, last=200)
    assert "No fault was found" in said(part) and "101 checked" in said(part)
    assert hall.sequence == before
    wrong = browser.post_form(f"/{hall.system}/audit/verify", "/audit/verify", how="chain", first=5, last=4)
    assert wrong.status_code == 422


def test_every_decision_is_decided_again(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    page = verify(browser, hall, how="law")
    with hall.read() as state:
        state_hash = state.hash().hex()
    assert "No fault was found" in said(page) and state_hash in page.text


@pytest.mark.parametrize("how", ["chain", "law"])
def test_a_changed_entry_is_named(place: Place, visit: Visit, market_folder: Path, how: str) -> None:
    hall, browser = hall_of(place), visit("auditor")
    entry = hall.entry("allocate:2025")
    assert entry is not None
    with sqlite3.connect(market_folder / "market.db") as database:
        changed = bytes(entry.events).replace(b'"quantity":', b'"quantity":1')
        assert changed != bytes(entry.events)
        database.execute("UPDATE log_entries SET events = ? WHERE sequence = ?", (changed, entry.sequence))
    page = verify(browser, hall, how=how)
    assert "fault was found" in said(page) and f"/audit/log/{entry.sequence}" in page.text, said(page)[:1500]
    own = browser.get(f"/{hall.system}/audit/log/{entry.sequence}")
    assert "This entry was changed" in said(own)
    after = browser.get(f"/{hall.system}/audit/log/{entry.sequence + 1}")
    assert "Its hash fits" in said(after)


def test_a_changed_row_of_the_trail_is_named(place: Place, visit: Visit, market_folder: Path) -> None:
    hall, browser = hall_of(place), visit("auditor")
    browser.get(f"/{hall.system}/audit")
    place.people.audit.flush()
    assert "No fault was found" in said(verify(browser, hall, how="trail"))
    with sqlite3.connect(market_folder / "logins.db") as database:
        assert database.execute("UPDATE people_audit SET what = 'nothing' WHERE number = 3").rowcount == 1
    page = verify(browser, hall, how="trail")
    assert "row 3 was changed" in said(page)


def test_the_same_check_is_not_begun_twice() -> None:
    import threading

    board, door = jobs.Board(), threading.Event()
    first = board.begin("chain", "1-5", "a", lambda job: door.wait(10) and None)
    assert board.begin("chain", "1-5", "b", lambda job: None) is first
    other = board.begin("chain", "1-6", "b", lambda job: None)
    assert other.state == "waiting"  # one at a time
    door.set()
    for one in (first, other):
        for _ in range(100):
            if one.over:
                break
            time.sleep(0.05)
        assert one.state == "done"


def test_a_check_that_breaks_off_says_why() -> None:
    board = jobs.Board()

    def broken(job: jobs.Job) -> None:
        raise OSError("the disk is gone")

    job = board.begin("chain", "x", "a", broken)
    for _ in range(100):
        if job.over:
            break
        time.sleep(0.05)
    assert job.state == "failed" and "the disk is gone" in job.trouble


# -- replay


def replay(browser: Any, hall: Hall, day: str) -> Any:
    return ended(browser, browser.post_form(f"/{hall.system}/audit/replay", "/audit/replay", day=day))


def test_a_replay_gives_the_figures_of_its_day(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    with hall.read() as state:
        now, state_hash, today = list(by_kind(state)), state.hash().hex(), state.today
    page = replay(browser, hall, today.isoformat())
    assert state_hash in page.text
    for row in now:
        if row["unit"] != hall.rulebook.system.currency:
            assert f"{row['balance']:,}".replace(",", "\u202f").replace("-", "\u2212") in page.text, row
    earlier = today - timedelta(days=200)
    page = replay(browser, hall, earlier.isoformat())
    past = replay_to(hall.desk.log, lambda system, scenario: hall.rulebook, earlier)
    assert past.state.hash().hex() in page.text and past.state.hash().hex() != state_hash
    kept = browser.get(f"/{hall.system}/audit/replay", params={"day": earlier.isoformat()})
    assert kept.url.path == page.url.path  # made once


def test_a_replay_reaches_no_further_than_the_log(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    assert browser.get(f"/{hall.system}/audit/replay", params={"day": "2099-01-01"}).status_code == 400
    assert browser.get(f"/{hall.system}/audit/replay", params={"day": "soon"}).status_code == 400
    assert browser.get(f"/{hall.system}/audit/jobs/999").status_code == 404


# -- trail, heads


def test_the_trail_knows_who_looked_and_who_acted(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    entry = hall.entry("allocate:2025")
    assert entry is not None
    browser.get(f"/{hall.system}/audit/log/{entry.sequence}")
    rows = browser.get(f"/{hall.system}/audit/trail.json", params={"views": "yes"}).json()["rows"]
    assert any(row["what"] == f"log entry {entry.sequence}" and row["name"] == "Noor Haddad" for row in rows)
    page = browser.get(f"/{hall.system}/audit/trail")
    assert page.status_code == 200 and "Noor Haddad" in said(page)
    assert all(row["verb"] != "view" for row in browser.get(f"/{hall.system}/audit/trail.json", params={"views": "no"}).json()["rows"])
    second = browser.get(f"/{hall.system}/audit/trail", params={"page": 2})
    assert second.status_code == 200


def test_heads_of_days_are_public(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("")
    rows = browser.get(f"/{hall.system}/log.json").json()["rows"]
    heads = hall.desk.log.daily_heads(400)
    assert [(row["day"], row["sequence"], row["hash"]) for row in rows] == [(one.day.isoformat(), one.sequence, one.hash.hex()) for one in heads]
    assert hall.desk.log.head().hash.hex() in browser.get(f"/{hall.system}/log").text
    assert browser.get(f"/{hall.system}/audit").url.path == "/login"


def test_the_auditor_has_no_button_that_changes_the_market(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("auditor")
    with hall.read() as state:
        names = state.installations.frame["installation"].to_list()
    for path in (
        "/audit",
        "/audit/verify",
        "/audit/replay",
        "/audit/trail",
        "/admin",
        f"/admin/accounts/operator:{names[0]}",
        f"/admin/installations/{names[0]}",
        "/admin/law/penalty/amount",
    ):
        page = browser.get(f"/{hall.system}{path}")
        assert page.status_code == 200, path
        actions = [unescape(one) for one in re.findall(r'method="post" action="([^"]+)"', page.text)]
        assert all("/admin/" not in one for one in actions), (path, actions)
