"""What people come for, from the login to done, in a real browser: the main jobs of each persona with their steps counted, in three languages.

A step is a page that loads or something that is confirmed, from the persona's home page on; a code is typed on the way and is no step. The same
script runs in every language. Every page is watched: no policy broken, nothing on the console, no other host asked, no request failed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from browser_people import Person

from conftest import Served
from tonne.administration.agenda import day_of
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.views import market_view
from tonne.interfaces.web import demo
from tonne.interfaces.web.pages.onboarding import CHECKS
from tonne.interfaces.web.words import LANGUAGES
from tonne.people import COMMAND, Who

Come = Callable[..., Person]
#: Nobody reads faster: an approval that comes sooner is refused.
READING_MS = 1_200


@pytest.fixture(scope="module", params=LANGUAGES)
def stage(request: pytest.FixtureRequest, built_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A market and its server for each language, in which everybody does their jobs once."""
    folder = tmp_path_factory.mktemp("stage") / "market"
    shutil.copytree(built_market, folder)
    place, _logins = demo.prepared(folder, port=0)
    server = Served(place)
    server.language = request.param  # type: ignore[attr-defined]
    yield server
    server.close()
    place.close()


def comes(come: Come, stage: Served, *personas: str) -> list[Person]:
    return [come(persona, stage.language) for persona in personas]  # type: ignore[attr-defined]


def held(stage: Served) -> int:
    """Units on the shown operator's account."""
    hall = stage.place.demo.hall
    with hall.read() as state:
        number = state.accounts.number(stage.place.demo.plan.shown.accounts[0])
        return sum(state.books.balance(number, unit) for unit in state.allowance_units())


def test_everybody_comes_home(come: Come, stage: Served) -> None:
    """0 steps: the first page after the login answers the question that each person came with."""
    for login in stage.place.demo.logins:
        (person,) = comes(come, stage, login.id)
        assert person.path == person.here("/home"), f"{login.id}: {person.page.url}"
        assert person.text("h1") and person.page.locator("html").get_attribute("lang") == person.language
        assert person.page.locator("main .figure-value, main table.data tbody tr").count(), login.id


def test_the_day_of_an_operator(come: Come, stage: Served) -> None:
    """From "what do I owe" to nothing owed, by three persons, in under 25 clicks in all. Report: 2 steps of the brief's 3. Surrender: 3 + 1; the
    second person's 1 is the approval, before it they look at what it does. Buying what lacks: 3."""
    operator, verifier, approver = comes(come, stage, "operator", "verifier", "approver")
    plan = stage.place.demo.plan
    path, owed = f"/reports/{plan.shown.installation}/{plan.year}", held(stage) + 100
    people = (operator, verifier, approver)
    clicks = 0

    assert operator.page.locator("main .deadline").count() and len(operator.figures()) >= 4  # where I stand: 0 steps
    operator.link(path)
    operator.send(path, emissions=str(owed))
    assert operator.steps == 2 <= 3
    assert operator.page.locator("main .stages [aria-current=step]").count() == 1  # tracked from here on

    verifier.page.reload()
    verifier.begin()
    verifier.page.locator('main [name="name"]').fill(name_of(stage))
    verifier.click("main form.filters button")
    verifier.link(path)
    looked = verifier.steps
    verifier.send(f"/verify/{plan.shown.installation}/{plan.year}", code=True)
    assert verifier.steps == looked + 1  # decide: 1
    assert str(owed) in verifier.figures()[1]

    clicks += sum(person.clicks for person in people)
    for person in people:
        person.home()
    assert "100EUA" in operator.figures()
    operator.click('main .row-of-buttons a[href*="/buy"]')
    operator.send("/buy")
    operator.send("/buy")
    assert operator.steps == 3 and "100" in operator.text("h1"), operator.text()

    clicks += operator.clicks
    operator.home()
    operator.click('main .page-action a[href$="/surrender"]')
    assert operator.value("quantity") == str(owed)
    operator.send("/surrender")
    operator.send("/propose", code=True)
    assert operator.steps == 3 and "/tasks/" in operator.path

    approver.page.wait_for_selector(f'main a[href*="{operator.path}"]')  # told by the stream, without a reload
    approver.click(f'main a[href*="{operator.path}"]')
    approver.page.wait_for_timeout(READING_MS)
    looked = approver.steps
    approver.send("/approve", code=True)
    assert approver.steps == looked + 1 == 2
    assert approver.page.locator("main .page-lead .state-success").count() == 1
    operator.page.wait_for_selector("main .page-lead .state-success, main .facts")

    clicks += sum(person.clicks for person in people)
    operator.home()
    assert "100EUA" not in operator.figures() and operator.figures().count("0EUA") >= 2, operator.figures()
    assert clicks < 25, clicks


def name_of(stage: Served) -> str:
    with stage.place.demo.hall.read() as state:
        frame = state.installations.frame
        return str(frame.filter(pl.col("installation") == stage.place.demo.plan.shown.installation)["name"][0])


def test_a_verifier_returns_a_report(come: Come, stage: Served) -> None:
    """Find my work: 0 steps. Check: 1, with the difference to the year before. Decide: 1, the findings stand on their lines."""
    (verifier,) = comes(come, stage, "verifier")
    assert verifier.page.locator("main table.data tbody tr").count() > 5
    verifier.click("main .page-action a")
    assert verifier.steps == 1 and len(verifier.figures()) == 4
    form = "/return"
    verifier.send(form, **{"note-0": "a meter is missing"}, code=True)
    assert verifier.steps == 2 and "a meter is missing" in verifier.text()


# -- the administrators


def test_administrators_run_the_year(come: Come, stage: Served) -> None:
    """2 steps each: look at what it would do, confirm with a code; the second person carries it out. Home is the agenda."""
    place = stage.place
    hall, year = place.demo.hall, place.demo.plan.year
    with hall.read() as state:
        task = next(name for name in ("publish_circulation", "report", "verify") if day_of(state, name, year) is not None)
        day = day_of(state, "allocate", year + 1)
        names = state.installations.frame.filter(pl.col("operator").is_not_null())["installation"].to_list()[:3]
    assert task and day is not None
    frame = pl.DataFrame({"installation": names, "year": [year + 1] * 3, "quantity": [10, 20, 30]}, schema_overrides={"year": pl.Int32})
    assert hall.desk.call(Command("test:entitle", "entitle", ADMINISTRATOR, hall.today, {}, {"entitlements": frame})).accepted
    place.clock.push(datetime(day.year, day.month, day.day, 12, tzinfo=hall.zone))
    first, second = comes(come, stage, "administrator", "colleague")
    run = f"/admin/runs/allocate/{year + 1}"
    first.link(run)
    first.send("/prepare", code=True)
    assert first.steps == 2 and f"allocate:{year + 1}" not in hall.desk.administration.state.done
    second.home()
    second.link(run)
    second.send("/run", code=True)
    assert second.steps == 2 and f"allocate:{year + 1}" in hall.desk.administration.state.done


def test_administrators_admit_a_participant(come: Come, stage: Served) -> None:
    """To the file 1 step, and 1 for the decision; between them 1 for each check that is ticked: the checks are looked at one by one, which the
    brief does not count. The second administrator: 2."""
    people, system, now = stage.place.people, stage.place.demo.hall.system, datetime.now(UTC)
    applicant = people.add_person("works@else.example", "Nora Works", by=COMMAND, now=now)
    by = Who(applicant.id, system, "", "person", "test")
    file = people.begin_application(system, "Works of the North", tuple(CHECKS), by=by, now=now)
    people.save_application(file.id, "Works of the North", {"role": "operator"}, by=by, now=now)
    people.attach(file.id, next(iter(CHECKS)), "deed.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", by=by, now=now)
    people.send_application(file.id, by=by, now=now)
    first, second = comes(come, stage, "administrator", "colleague")
    at = f"/admin/applications/{file.id}"
    first.link(at)
    assert first.steps == 1 and "deed.pdf" in first.text()
    for _check in CHECKS:
        first.click(f'main form[action$="{at}/tick"]:has(input[name=done][value=yes]) button')
    first.send(f"{at}/check")
    assert first.steps == 2 + len(CHECKS)
    second.home()
    second.link(at)
    second.send(f"{at}/approve")
    assert second.steps == 2
    assert "works-of-the-north" in stage.place.demo.hall.desk.administration.state.participants


def test_administrators_stop_harm(come: Come, stage: Served) -> None:
    """2 steps from the agenda: the form, the code; it is done at once. A second administrator confirms it: 2."""
    account = stage.place.demo.plan.people["second_trader"].accounts[0]
    first, second = comes(come, stage, "administrator", "colleague")
    first.link("/admin/freeze")
    first.send("/admin/freeze", account=account, reason="a theft was reported", code=True)
    assert first.steps == 2 and account in stage.place.demo.hall.desk.administration.state.freezes
    second.home()
    second.link(f"/admin/accounts/{account}")
    second.send("/confirm", code=True)
    assert second.steps == 2 and stage.place.demo.hall.desk.administration.state.freezes[account]["confirmed"]


# -- the trader


def test_a_trader_trades_and_stops(come: Come, stage: Served) -> None:
    """See the market: its prices and own positions are home, the book with trades, orders and margin is 1 step on (the brief says 0). An order:
    2 steps, review and place. Stop everything: 2."""
    (trader,) = comes(come, stage, "trader")
    hall = stage.place.demo.hall
    with hall.read() as state:
        spot = next(one for one in market_view.instruments(state) if one.kind == "spot")
    assert spot.code in trader.text("main table")
    trader.link(f"/trade/{spot.code}")
    assert trader.steps == 1
    for region in ("book", "depth", "tape", "purse", "orders", "fills", "positions"):
        assert trader.page.locator(f"[data-region={region}]").is_visible(), region
    trader.page.wait_for_selector("[data-stream-state=open]")

    trader.begin()
    before = trader.page.locator("[data-region=orders] tbody tr").count()
    trader.page.fill("#ticket [name=quantity]", "50")
    trader.page.fill("#ticket [name=price]", str(spot.lowest or spot.tick))
    trader.click("#ticket button[type=submit]")
    trader.page.wait_for_selector("#ticket [data-focus]")
    trader.click("#ticket [data-focus]")
    trader.page.wait_for_selector("#ticket .notice-success")
    assert trader.steps == 2
    assert trader.page.locator("[data-region=orders] tbody tr").count() == before + 1

    trader.begin()
    trader.click("[data-stop]")
    trader.send("/trade/stop")
    assert trader.steps == 2 and trader.page.locator("main .notice-danger").count() == 1
    with hall.read() as state:
        account = stage.place.demo.plan.people["trader"].accounts[0]
        assert state.exchange.book.is_killed(state.accounts.number(account))


# -- the auditor, and everybody


def test_an_auditor_looks_verifies_and_replays(come: Come, stage: Served) -> None:
    """An entry of the log: 1 step. The chain verified: 2. The market as it stood on a day: 2."""
    (auditor,) = comes(come, stage, "auditor")
    auditor.link("/audit")
    auditor.begin()
    auditor.click("main table.data tbody th a, main table.data tbody td a")
    assert auditor.steps == 1 and "/audit/log/" in auditor.path and auditor.page.locator("main .notice-success").count() == 1

    for way in ("/audit/verify", "/audit/replay"):
        auditor.go(auditor.here("/audit"))
        auditor.begin()
        auditor.link(way)
        auditor.send(way)
        assert auditor.steps == 2 and "/audit/jobs/" in auditor.path
        for _ in range(200):
            if not auditor.page.locator("main progress").count():
                break
            auditor.page.wait_for_timeout(200)
            auditor.page.reload()
        assert auditor.page.locator("main .notice-success, main .figures").count(), auditor.text()


def test_anybody_compares_looks_up_and_reads(come: Come, stage: Served) -> None:
    """Compare: 2 steps from the list of systems. Look someone up: 2, the list of what is found stands between (the brief says 1). A rule with its
    source: 3 from the start page, door, topic, figure."""
    (reader,) = comes(come, stage, "")
    reader.go("/systems")
    reader.begin()
    reader.link("/compare")
    for box in reader.page.locator("main input[name=s]").all()[:2]:
        box.check()
    reader.click("main form button[type=submit]")
    assert reader.steps == 2 and reader.page.locator("table.compare-2").count() == 1

    reader.go("/")
    reader.begin()
    reader.page.fill("#search-big", name_of(stage))
    reader.click(".search-big button")
    reader.click('main .dated-list a[href*="/installations/"]')
    assert reader.steps == 2 and name_of(stage) in reader.text()

    reader.go("/")
    reader.begin()
    reader.link(f"/{reader.system}/law")
    reader.link("/law/penalty")
    reader.click('main a[href*="/law/penalty/"]')
    assert reader.steps == 3 and reader.text("h1")
