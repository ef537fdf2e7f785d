"""The administrator's pages: looking changes nothing, what is run is what was shown, nobody runs alone what two persons run."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import polars as pl
import pytest

from tonne.administration.agenda import TASKS, day_of
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.views import runs
from tonne.interfaces.views.deadline import standing
from tonne.interfaces.web.guard import REGISTER
from tonne.interfaces.web.place import Hall, Place
from tonne.ledger import AccountFlag

Visit = Callable[[str], Any]
YEAR = 2026


def hall_of(place: Place) -> Hall:
    hall: Hall = place.demo.hall
    return hall


def code(place: Place, persona: str) -> str:
    return str(place.demo.code_of(place.demo.login_of(persona).person))


def said(page: Any) -> str:
    """The words of a page, without its marks."""
    return re.sub(r"[ \n\t\r]+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))


def push(place: Place, day: date, at: time = time(12)) -> None:
    place.clock.push(datetime.combine(day, at, hall_of(place).zone))


def installations(hall: Hall, count: int = 3) -> list[str]:
    with hall.read() as state:
        return state.installations.frame.filter(pl.col("operator").is_not_null(), pl.col("installation") != "remainder")["installation"].to_list()[
            :count
        ]


def entitle(hall: Hall, rows: list[tuple[str, int]], key: str = "entitle", year: int = YEAR) -> None:
    frame = pl.DataFrame(
        [(name, year, units) for name, units in rows], schema={"installation": pl.String, "year": pl.Int32, "quantity": pl.Int64}, orient="row"
    )
    reply = hall.desk.call(Command(f"test:{key}", "entitle", ADMINISTRATOR, hall.today, {}, {"entitlements": frame}))
    assert reply.accepted, reply.reason


def to_allocation(place: Place) -> Hall:
    """The market on the day of the year's free allocation, with something to allocate."""
    hall = hall_of(place)
    entitle(hall, [(name, 1_000 * number) for number, name in enumerate(installations(hall), 1)])
    with hall.read() as state:
        day = day_of(state, "allocate", YEAR)
    assert day is not None
    push(place, day)
    return hall


# -- looking


def test_every_page_opens_and_changes_nothing(shared_place: Place, look: Visit) -> None:
    browser, hall = look("administrator"), hall_of(shared_place)
    before = hall.sequence
    with hall.read() as state:
        tasks = [(task, year) for task in TASKS for year in (2024, 2025, 2026) if day_of(state, task, year) is not None]
        held = next(iter(state.exchange.auctioned))
        announced = next(iter(state.exchange.sales))
    assert len(tasks) > 15
    base = f"/{hall.system}/admin"
    one = installations(hall, 1)[0]
    paths = [f"/runs/{task}/{year}" for task, year in tasks]
    paths += [
        "",
        "/runs",
        "/deadline/2024",
        "/deadline/2025",
        "/auctions",
        "/auctions/new",
        "/auctions/offer",
        f"/auctions/{held}",
        f"/auctions/{announced}",
    ]
    paths += ["/participants", "/participants/new", "/installations", "/installations/new", f"/installations/{one}", "/accounts", "/accounts/new"]
    paths += [f"/accounts/operator:{one}", "/freeze", "/entitlements", "/law", "/law/penalty/amount", "/law/calendar/agenda", "/applications"]
    for path in paths:
        answer = browser.get(base + path)
        assert answer.status_code == 200, (path, said(answer)[-500:])
        assert " style=" not in answer.text.split("<body", 1)[1], path
    assert hall.sequence == before
    assert browser.get(f"/{hall.system}/home").text.count("<h1>") == 1
    assert "What the law does next" in said(browser.get(f"/{hall.system}/home"))


@pytest.mark.parametrize(
    "path",
    [
        "/runs/allocate/1999",
        "/runs/nothing/2025",
        "/runs/allocate/20x5",
        "/deadline/1901",
        "/installations/none",
        "/accounts/none",
        "/auctions/none",
        "/law/penalty/none",
    ],
)
def test_what_is_not_there_is_404(shared_place: Place, look: Visit, path: str) -> None:
    assert look("administrator").get(f"/{hall_of(shared_place).system}/admin{path}").status_code == 404


def test_others_see_nothing_of_it(shared_place: Place, look: Visit) -> None:
    hall = hall_of(shared_place)
    for persona in ("operator", "trader", "verifier"):
        browser = look(persona)
        for path in ("/admin", "/admin/runs", "/admin/accounts", "/admin/law", "/audit", "/audit/trail"):
            assert browser.get(f"/{hall.system}{path}").status_code in (403, 404), (persona, path)
    assert look("").get(f"/{hall.system}/admin").url.path == "/login"


def test_the_agenda_says_what_comes_and_what_is_due(place: Place, visit: Visit) -> None:
    hall = hall_of(place)
    with hall.read() as state:
        report = day_of(state, "report", 2025)
    assert report is not None
    browser = visit("administrator")
    page = said(browser.get(f"/{hall.system}/admin"))
    assert report.isoformat() in page
    to_allocation(place)
    page = browser.get(f"/{hall.system}/admin")
    assert f"/admin/runs/allocate/{YEAR}" in page.text and "since" in said(page)


# -- runs


def run_page(browser: Any, hall: Hall, task: str = "allocate", year: int = YEAR) -> Any:
    return browser.get(f"/{hall.system}/admin/runs/{task}/{year}")


def test_two_persons_run_exactly_what_was_shown(place: Place, visit: Visit) -> None:
    hall = to_allocation(place)
    first, second = visit("administrator"), visit("colleague")
    names = installations(hall)
    with hall.read() as state:
        numbers = [state.accounts.number(f"operator:{name}") for name in names]
        unit = state.unit(state.allowance_code(YEAR))
        before = [state.books.balance(number, unit) for number in numbers]
        decision = hall.desk.administration.preview(runs.command_of(state, "allocate", YEAR, hall.today))
        shown = runs.outcome(state, "allocate", YEAR, decision)
    start = hall.sequence
    page = run_page(first, hall)
    assert "6\u202f000" in page.text and shown.print in page.text and hall.sequence == start
    rows = first.get(f"/{hall.system}/admin/runs/allocate/{YEAR}.json").json()
    assert {row["installation"]: row["quantity"] for row in rows["rows"] if row["quantity"]} == dict(zip(names, (1_000, 2_000, 3_000), strict=True))

    prepared = first.post_form(page, "/prepare", code=code(place, "administrator"))
    assert prepared.status_code == 200 and "Waiting for a second administrator" in said(prepared) and hall.sequence == start
    assert "prepared by Ada Moreau" in said(second.get(f"/{hall.system}/admin"))
    page = run_page(second, hall)
    done = second.post_form(page, "/run", code=code(place, "colleague"))
    assert done.status_code == 200 and "Done on" in said(done), said(done)[:1500]

    entry = hall.entry(f"allocate:{YEAR}")
    assert entry is not None
    with hall.read() as state:
        assert runs.outcome_of(state, "allocate", YEAR, entry).print == shown.print
        after = [state.books.balance(number, unit) for number in numbers]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1_000, 2_000, 3_000]
    assert f"/audit/log/{entry.sequence}" in done.text
    log = said(first.get(f"/{hall.system}/audit/log/{entry.sequence}"))
    assert "prepared_by" in log and "Ada Moreau" in log and "Chen Yu" in log
    again = second.post_form(page, "/run", code=code(place, "colleague"))  # the page from before: Back, and sent once more
    assert again.status_code == 200 and hall.entry(f"allocate:{YEAR}").sequence == entry.sequence  # type: ignore[union-attr]
    with hall.read() as state:
        assert [state.books.balance(number, unit) for number in numbers] == after


def test_nobody_runs_alone_what_they_prepared(place: Place, visit: Visit) -> None:
    hall = to_allocation(place)
    browser = visit("administrator")
    page = run_page(browser, hall)
    hidden = browser.form(page, "/prepare")
    action = f"/{hall.system}/admin/runs/allocate/{YEAR}/run"
    start = hall.sequence
    alone = browser.post(action, data=hidden | {"code": code(place, "administrator")})
    assert alone.status_code == 403 and hall.sequence == start
    assert browser.post_form(page, "/prepare", code=code(place, "administrator")).status_code == 200
    own = browser.post(action, data=hidden | {"code": code(place, "administrator")})
    assert own.status_code == 403 and "You began this yourself" in said(own)
    assert hall.sequence == start and f"allocate:{YEAR}" not in hall.desk.administration.state.done


def test_a_wrong_code_does_nothing_and_keeps_the_page(place: Place, visit: Visit) -> None:
    hall = to_allocation(place)
    browser = visit("administrator")
    page = run_page(browser, hall)
    for wrong in ("", "000000"):
        answer = browser.post_form(page, "/prepare", code=wrong)
        assert answer.status_code == 422 and "field-error" in answer.text
    assert "prepared" not in said(visit("colleague").get(f"/{hall.system}/admin"))


def test_what_has_changed_is_shown_again(place: Place, visit: Visit) -> None:
    """Between the preparation and the run somebody is entitled to more: nothing happens, and what would happen now is on the page."""
    hall = to_allocation(place)
    first, second = visit("administrator"), visit("colleague")
    first.post_form(run_page(first, hall), "/prepare", code=code(place, "administrator"))
    page = run_page(second, hall)
    entitle(hall, [(installations(hall)[0], 9_000)], "again")
    start = hall.sequence
    answer = second.post_form(page, "/run", code=code(place, "colleague"))
    assert answer.status_code == 409 and "It would do something else now" in said(answer)
    assert "14\u202f000" in answer.text and hall.sequence == start
    fresh = run_page(second, hall)
    assert "does not count any more" in said(fresh) and "/prepare" in fresh.text and f"{YEAR}/run" not in fresh.text


def test_not_due_yet_says_when_and_offers_nothing(shared_place: Place, look: Visit) -> None:
    hall = hall_of(shared_place)
    with hall.read() as state:
        day = day_of(state, "allocate", YEAR)
    browser = look("administrator")
    page = run_page(browser, hall)
    assert f"Not due yet: on {day}" in said(page) and "/prepare" not in page.text
    hidden = browser.form(page, "/logout")
    for step in ("prepare", "run"):
        answer = browser.post(
            f"/{hall.system}/admin/runs/allocate/{YEAR}/{step}", data=hidden | {"_key": "0123456789", "code": "123456", "print": "x"}
        )
        assert answer.status_code in (403, 409), step
    assert f"allocate:{YEAR}" not in hall.desk.administration.state.done


def test_a_run_that_gives_nobody_anything_says_so(shared_place: Place, look: Visit) -> None:
    hall = hall_of(shared_place)
    page = run_page(look("administrator"), hall)
    assert "It would give and take nothing" in said(page) and f"/admin/entitlements?year={YEAR}" in page.text


def test_fines_shown_are_fines_set(shared_place: Place, look: Visit) -> None:
    hall = hall_of(shared_place)
    page = said(run_page(look("administrator"), hall, "penalise", 2024))
    with hall.read() as state:
        fines = state.fines.filter(pl.col("year") == 2024)
    total = f"{fines['low_minor'].sum() // 100:,}".replace(",", "\u202f")
    assert fines.height and total in page and "Entry" in page


def test_a_deadline_names_the_same_as_the_judgement(shared_place: Place, look: Visit) -> None:
    """The rows of a deadline that is over are those that were judged; the fines as if they were set today are those that were set."""
    hall, browser = hall_of(shared_place), look("administrator")
    rows = browser.get(f"/{hall.system}/admin/deadline/2024.json").json()["rows"]
    with hall.read() as state:
        judged = state.statuses.filter(pl.col("year") == 2024, ~pl.col("interim"))
        found = standing(state, 2024, hall.today)
        fined = int(state.fines.filter(pl.col("year") == 2024)["shortfall"].sum())
    assert {row["installation"]: (row["owed"], row["surrendered"], row["letter"]) for row in rows} == {
        row["installation"]: (row["owed"], row["surrendered"], row["status"]) for row in judged.to_dicts()
    }
    assert found.shortfall == fined


# -- acts


def act(place: Place, browser: Any, page: Any, persona: str) -> Any:
    return browser.post_form(page, "/admin/act", code=code(place, persona))


def test_a_table_of_entitlements_from_a_file(place: Place, visit: Visit) -> None:
    hall, browser = hall_of(place), visit("administrator")
    names = installations(hall, 2)
    start = hall.sequence
    bad = f"installation,year,quantity\n{names[0]},{YEAR},10\n{names[1]},{YEAR},ten\n{names[0]},{YEAR},5\n"
    answer = browser.post_form(f"/{hall.system}/admin/entitlements", "/entitlements/upload", files={"file": ("t.csv", bad.encode(), "text/csv")})
    assert answer.status_code == 422 and hall.sequence == start
    assert re.search(r'cell-number">3</td><td>quantity</td><td>ten', answer.text) and re.search(r'cell-number">4</td>', answer.text)
    good = f"installation,year,quantity\n{names[0]},{YEAR},10\n{names[1]},{YEAR},20\n"
    review = browser.post_form(f"/{hall.system}/admin/entitlements", "/entitlements/upload", files={"file": ("t.csv", good.encode(), "text/csv")})
    assert review.status_code == 200 and hall.sequence == start, said(review)
    done = act(place, browser, review, "administrator")
    assert done.url.path.endswith("/admin/entitlements"), said(done)[:800]
    with hall.read() as state:
        found = state.entitlements.filter(pl.col("year") == YEAR)
    assert dict(found.select("installation", "quantity").rows()) == {names[0]: 10, names[1]: 20}


def test_participant_account_and_installations(place: Place, visit: Visit) -> None:
    hall, browser = hall_of(place), visit("administrator")
    base = f"/{hall.system}/admin"
    review = browser.post_form(f"{base}/participants/new", "/participants/new", name="Northern Steel & Sons", role="operator", country="DE")
    done = act(place, browser, review, "administrator")
    assert "northern-steel-sons" in done.text
    twice = browser.post_form(f"{base}/participants/new", "/participants/new", name="Northern Steel & Sons", role="operator")
    assert twice.status_code == 422 and "is registered" in said(twice) and "Northern Steel &amp; Sons" in twice.text

    review = browser.post_form(f"{base}/accounts/new", "/accounts/new", account="northern-trading", kind="trading", holder="northern-steel-sons")
    assert act(place, browser, review, "administrator").url.path.endswith("/accounts/northern-trading")

    file = "installation,name,operator,opened,status\nNS_1,Works 1,northern-steel-sons,2026,open\nNS_2,Works 2,northern-steel-sons,2026,open\n"
    faulty = file.replace("2026,open\nNS_2", "then,open\nNS_1")
    start = hall.sequence
    wrong = browser.post_form(f"{base}/installations/new", "/installations/upload", files={"file": ("i.csv", faulty.encode(), "text/csv")})
    assert wrong.status_code == 422 and hall.sequence == start
    assert re.search(r'cell-number">2</td><td>opened</td><td>then', wrong.text), said(wrong)
    review = browser.post_form(f"{base}/installations/new", "/installations/upload", files={"file": ("i.csv", file.encode(), "text/csv")})
    assert review.status_code == 200, said(review)[:900]
    act(place, browser, review, "administrator")
    with hall.read() as state:
        assert state.accounts.holders[state.accounts.number("operator:NS_2")] == "northern-steel-sons"


def test_a_review_is_for_who_saw_it(shared_place: Place, look: Visit) -> None:
    """Neither a changed content nor another person's review is carried out."""
    hall, first, second = hall_of(shared_place), look("administrator"), look("colleague")
    page = f"/{hall.system}/admin/participants/new"
    review = first.post_form(page, "/participants/new", name="Alpha Ltd", role="trader")
    hidden = first.form(review, "/admin/act")
    start = hall.sequence
    forged = first.post(
        f"/{hall.system}/admin/act", data=hidden | {"content": hidden["content"].replace("A", "B", 1), "code": code(shared_place, "administrator")}
    )
    assert forged.status_code == 422
    own = second.form(second.post_form(page, "/participants/new", name="Beta Ltd", role="trader"), "/admin/act")
    taken = second.post(f"/{hall.system}/admin/act", data=own | {"content": hidden["content"], "code": code(shared_place, "colleague")})
    assert taken.status_code == 422 and hall.sequence == start


def test_an_auction_is_called_off_by_two(place: Place, visit: Visit) -> None:
    hall, first, second = hall_of(place), visit("administrator"), visit("colleague")
    with hall.read() as state:
        name = max(state.exchange.sales)
    page = first.get(f"/{hall.system}/admin/auctions/{name}")
    assert "/hold" not in page.text  # before its day
    review = first.post_form(page, "/call-off", called_off="the register was closed")
    assert "the register was closed" in said(review)
    waits = act(place, first, review, "administrator")
    assert "Another administrator carries it out" in said(waits)
    with hall.read() as state:
        assert name in state.exchange.sales
    assert "/admin/prepared/clear_auction:" in second.get(f"/{hall.system}/admin").text
    own = first.get(waits.url.path)
    refused = first.post(waits.url.path, data=first.form(own, "/logout") | {"_key": "0123456789", "code": code(place, "administrator")})
    assert refused.status_code == 403
    done = second.post_form(second.get(waits.url.path), f"/prepared/clear_auction:{name}", code=code(place, "colleague"))
    assert "Nothing was sold" in said(done), said(done)[:900]
    with hall.read() as state:
        assert name not in state.exchange.sales and state.noticed("auction_result", None)[-1]["outcome"] == "cancelled"


def test_an_auction_is_announced_and_held_as_shown(place: Place, visit: Visit) -> None:
    """On its day the result is shown before it is one; what is settled then is what was shown."""
    hall, first, second = hall_of(place), visit("administrator"), visit("colleague")
    with hall.read() as state:
        name = next(name for name, sale in state.exchange.sales.items() if sale["held_on"] <= hall.today.isoformat())
        bids = len(state.exchange.sales[name]["bids"])
    assert bids
    page = first.get(f"/{hall.system}/admin/auctions/{name}")
    review = first.post_form(page, "/hold", seed="7")
    words = said(review)
    price = re.search(r"Clearing price [A-Z]{3} ([\d.]+)", words)
    assert price, words[:1200]
    waits = act(place, first, review, "administrator")
    second.post_form(second.get(waits.url.path), f"/prepared/clear_auction:{name}", code=code(place, "colleague"))
    with hall.read() as state:
        notice = state.noticed("auction_result", None)[-1]
    assert notice["auction"] == name and notice["price"] == price.group(1)


# -- freezes


def freeze(place: Place, browser: Any, account: str, persona: str = "administrator", **fields: Any) -> Any:
    page = browser.get(f"/{hall_of(place).system}/admin/freeze", params={"account": account})
    return browser.post_form(page, "/admin/freeze", account=account, reason="a theft was reported", kill="yes", code=code(place, persona), **fields)


def is_blocked(hall: Hall, account: str) -> bool:
    with hall.read() as state:
        return bool(int(state.books.flags()[state.accounts.number(account)]) & AccountFlag.BLOCKED)


def test_a_freeze_works_at_once_and_a_second_person_confirms(place: Place, visit: Visit) -> None:
    hall, first, second = hall_of(place), visit("administrator"), visit("colleague")
    account = place.demo.plan.people["operator"].accounts[0]
    answer = freeze(place, first, account)
    assert answer.url.path.endswith(f"/admin/accounts/{account}"), said(answer)[:900]
    assert is_blocked(hall, account) and "Waiting for a second administrator" in said(answer)
    own = first.post(
        f"/{hall.system}/admin/accounts/{account}/confirm",
        data=first.form(answer, "/logout") | {"_key": "0123456789", "code": code(place, "administrator")},
    )
    assert own.status_code == 403
    page = second.get(f"/{hall.system}/admin/accounts/{account}")
    confirmed = second.post_form(page, "/confirm", code=code(place, "colleague"))
    assert "Confirmed by Chen Yu" in said(confirmed)
    push(place, hall.today + timedelta(days=3))
    place.keep()
    assert is_blocked(hall, account)
    lifted = second.post_form(
        second.get(f"/{hall.system}/admin/accounts/{account}"), "/unfreeze", reason="it was a mistake", code=code(place, "colleague")
    )
    assert lifted.status_code == 200 and not is_blocked(hall, account)


def test_a_freeze_that_nobody_confirms_lifts(place: Place, visit: Visit) -> None:
    hall, first = hall_of(place), visit("administrator")
    account = place.demo.plan.people["operator"].accounts[0]
    freeze(place, first, account)
    push(place, hall.today + timedelta(days=1), time(1))
    place.keep()
    assert is_blocked(hall, account)
    push(place, hall.today + timedelta(days=1))
    place.keep()
    assert not is_blocked(hall, account)
    assert "frozen" not in said(first.get(f"/{hall.system}/admin")).lower().replace("frozen accounts", "")


def test_a_freeze_without_its_code_or_of_nothing(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("administrator")
    account = shared_place.demo.plan.people["operator"].accounts[0]
    page = browser.get(f"/{hall.system}/admin/freeze")
    wrong = browser.post_form(page, "/admin/freeze", account=account, reason="x", code="000000")
    assert wrong.status_code == 422 and not is_blocked(hall, account)
    unknown = browser.post_form(page, "/admin/freeze", account="nobody", reason="x", code=code(shared_place, "administrator"))
    assert unknown.status_code == 422 and "No account has this id" in said(unknown)


def test_orders_are_taken_out_before_a_freeze(place: Place, visit: Visit) -> None:
    hall, browser = hall_of(place), visit("administrator")
    with hall.read() as state:
        book = state.exchange.book
        assert book is not None
        numbers = [int(one) for one in book.open_orders()["account"] if state.accounts.kinds[int(one)] == "trading"]
        account = state.accounts.ids[numbers[0]]
    answer = freeze(place, browser, account)
    assert answer.url.path.endswith(f"/admin/accounts/{account}"), said(answer)[:900]
    with hall.read() as state:
        assert not (state.exchange.book.open_orders()["account"] == numbers[0]).any()  # type: ignore[union-attr]
    assert is_blocked(hall, account)


# -- two persons: proposals from here


def approve(place: Place, hall: Hall, review: Any, first: Any, second: Any) -> Any:
    task = first.post_form(review, "/propose", code=code(place, "administrator"))
    assert "/tasks/" in task.url.path, said(task)[:900]
    page = second.get(task.url.path)
    import time as clock

    clock.sleep(1.1)  # nobody reads faster
    return second.post_form(page, "/approve", code=code(place, "colleague"))


def test_an_amendment_does_what_its_preview_said(place: Place, visit: Visit) -> None:
    hall, first, second = hall_of(place), visit("administrator"), visit("colleague")
    path = f"/{hall.system}/admin/law/penalty/amount"
    start = hall.sequence
    fields = {"from": "2027-01-01", "value": "150", "source": "Act 1/2026, art. 2"}
    effects = first.post_form(path, "/law/penalty/amount", **fields)
    words = said(effects)
    assert effects.status_code == 200 and "What it would change" in words and "150000" in words.replace("\u202f", ""), words[:2000]
    assert hall.sequence == start
    review = first.post_form(effects, "/propose")
    assert review.status_code == 200 and hall.sequence == start, said(review)[:900]
    assert "penalty.amount is 150 from 2027-01-01 on. Source: Act 1/2026, art. 2" in said(review)  # what the second person reads, too
    approved = approve(place, hall, review, first, second)
    assert "completed" in said(approved), said(approved)[:900]
    with hall.read() as state:
        assert state.law(date(2027, 1, 1)).value("penalty.amount") == Decimal(150)
        assert state.law(date(2026, 12, 31)).value("penalty.amount") != Decimal(150)
        assert state.amendments[-1]["source"] == "Act 1/2026, art. 2"
    assert "Act 1/2026, art. 2" in said(first.get(f"/{hall.system}/admin/law"))


@pytest.mark.parametrize(
    ("topic", "fields", "field"),
    [
        ("penalty/amount", {"from": "2027-01-01", "value": "a lot", "source": "x"}, "value"),
        ("penalty/amount", {"from": "2027-01-01", "value": "", "source": "x"}, "value"),
        ("penalty/amount", {"from": "2027-01-01", "value": "5", "repeal": "yes", "source": "x"}, "value"),
        ("penalty/amount", {"from": "soon", "value": "5", "source": "x"}, "from"),
        ("penalty/amount", {"from": "2027-01-01", "value": "5", "source": ""}, "source"),
        ("cap/reduction_factor", {"from": "2027-01-01", "value": "0.05", "source": "x"}, "value"),
        ("cap/reduction_factor", {"from": "2027-01-01", "value": "2030: much", "source": "x"}, "value"),
    ],
)
def test_what_is_wrong_with_an_amendment_stands_beside_its_field(
    shared_place: Place, look: Visit, topic: str, fields: dict[str, str], field: str
) -> None:
    hall, browser = hall_of(shared_place), look("administrator")
    answer = browser.post_form(f"/{hall.system}/admin/law/{topic}", f"/law/{topic}", **fields)
    assert answer.status_code == 422 and f'id="error-{field}"' in answer.text


def test_an_amendment_of_a_table_changes_its_rows_only(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("administrator")
    effects = browser.post_form(
        f"/{hall.system}/admin/law/cap/reduction_factor",
        "/law/cap/reduction_factor",
        **{"from": "2030-01-01", "value": "2030: 0.06", "source": "Act 2"},
    )
    assert effects.status_code == 200 and "2030: 0.06" in said(effects), said(effects)[:1500]


def test_days_that_an_amendment_moves(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("administrator")
    effects = browser.post_form(
        f"/{hall.system}/admin/law/calendar/agenda",
        "/law/calendar/agenda",
        **{"from": "2026-04-01", "value": "allocate: +0 07-31", "source": "Act 3"},
    )
    assert "Days that move" in said(effects) and "2026-07-31" in said(effects), said(effects)[:2500]


def test_a_report_is_corrected_by_two(place: Place, visit: Visit) -> None:
    hall, first, second = hall_of(place), visit("administrator"), visit("colleague")
    with hall.read() as state:
        row = state.reports.frame.filter(pl.col("year") == 2024, pl.col("verified") > 0, pl.col("installation") != "remainder").row(0, named=True)
    page = f"/{hall.system}/admin/installations/{row['installation']}"
    review = first.post_form(page, "/correct", year="2024", verified=str(row["verified"] + 5), reason="a meter was read wrongly")
    assert review.status_code == 200, said(review)[:900]
    approve(place, hall, review, first, second)
    with hall.read() as state:
        now = state.reports.frame.filter(pl.col("year") == 2024, pl.col("installation") == row["installation"]).row(0, named=True)
    assert now["verified"] == row["verified"] + 5
    assert "a meter was read wrongly" in said(first.get(page))


# -- the auditor


def test_the_auditor_reads_all_of_it_and_does_nothing(place: Place, visit: Visit) -> None:
    hall = to_allocation(place)
    browser = visit("auditor")
    base = f"/{hall.system}/admin"
    for path in (
        "",
        "/runs",
        f"/runs/allocate/{YEAR}",
        "/deadline/2025",
        "/auctions",
        "/participants",
        "/installations",
        "/accounts",
        "/entitlements",
        "/law",
        "/law/penalty/amount",
        "/applications",
    ):
        assert browser.get(base + path).status_code == 200, path
    page = browser.get(f"{base}/runs/allocate/{YEAR}")
    assert "/prepare" not in page.text and f"{YEAR}/run" not in page.text
    hidden = browser.form(page, "/logout") | {"_key": "0123456789", "code": code(place, "auditor")}
    start = hall.sequence
    posts = [path for method, path in REGISTER.allowed if method == "POST" and "/admin" in path]
    assert len(posts) > 15
    names = {"system": hall.system, "task": "allocate", "year": str(YEAR), "topic": "penalty", "parameter": "amount"}
    for path in posts:
        address = re.sub(r"\{(\w+)\}", lambda found: names.get(found.group(1), "x"), path)
        answer = browser.post(address, data=hidden)
        assert answer.status_code in (403, 404), (path, answer.status_code)
    assert hall.sequence == start


def test_views_are_on_the_trail(shared_place: Place, look: Visit) -> None:
    hall, browser = hall_of(shared_place), look("administrator")
    browser.get(f"/{hall.system}/admin/accounts/operator:{installations(hall, 1)[0]}")
    rows = shared_place.people.audit.page(system=hall.system, views=True, verb="view").rows
    assert any(row.what == f"account operator:{installations(hall, 1)[0]}" for row in rows)
