"""Every page in a real browser: wide, narrow and narrowest, light and dark, read by axe; nothing stopped, nothing said on the console.

Pages come from the routes themselves: one that is new and has no example here fails the test. TONNE_SCREENSHOTS=folder keeps a picture of each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser_people import NARROW, NARROWEST, WIDE, Person
from security_world import signed_in, things

from tonne.interfaces.views import market_view
from tonne.interfaces.web import words
from tonne.interfaces.web.app import allowed
from tonne.interfaces.web.place import Place
from tonne.people import COMMAND

PICTURES = os.environ.get("TONNE_SCREENSHOTS", "")
#: Whose pages they are, the first who may; these are opened by everybody who may.
WHO = ("verifier", "operator", "trader", "auditor", "administrator")
TRADERS = re.compile(r"/(trade|bids|money|orders|fills|negotiated)\b")
EVERYBODYS = tuple(f"/{{system}}/{one}" for one in ("home", "tasks", "reports", "reports/{installation}/{year}", "organisation", "history"))
#: No pages: files, signs of life, parts of pages, ways through; and pages that need a step before them, which other tests take.
NOT_OPENED = re.compile(
    r"^/api/v1|/stream$|\.ics$|/live$|^/(healthz|readyz|metrics|robots\.txt)$|/documents/|/(template|faults|when)$|^/login/(factor|enrol|oidc)"
    r"|/buy/\{key\}|/prepared/|/reports/upload|/verify/\{installation\}|/audit/jobs/"
)
SIZES = (WIDE, NARROW)


@pytest.fixture(scope="module")
def examples(shared_place: Place) -> dict[str, list[str]]:
    """route -> its addresses."""
    place = shared_place
    hall, plan = place.demo.hall, place.demo.plan
    known = things(place, signed_in(place, "operator"))
    with hall.read() as state:
        announced, held = next(iter(state.exchange.sales)), next(iter(state.exchange.auctioned))
        codes = [one.code for one in market_view.instruments(state)]
        judged = max(int(year) for year in state.statuses["year"].unique())
        others = [name for name in list(state.participants)[:400] if name != plan.shown.participant]
    known |= {"installation": plan.shown.installation, "year": str(plan.year), "topic": "penalty", "parameter": "amount"}
    known |= {"sequence": str(hall.sequence)}
    now = datetime.now(UTC)
    newcomer = place.people.add_person("new@else.example", "Newcomer", by=COMMAND, now=now)
    token = place.people.invite(newcomer.id, by=COMMAND, now=now)
    system = hall.system

    def filled(route: str, **more: str) -> str:
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: (known | more)[found.group(1)], route)

    several = {
        "/charts/{name}": [],
        "/compare": ["/compare"],
        "/invitation/{token}": [f"/invitation/{token}"],
        "/email/{token}": [f"/email/{'a' * 43}"],
        "/reset/{token}": [f"/reset/{'a' * 43}"],
        "/search": ["/search?q=steel", "/search?q=zzzz"],
        "/systems": ["/systems", "/systems?status=in_force"],
        "/{system}/admin/auctions/{name}": [f"/{system}/admin/auctions/{announced}", f"/{system}/admin/auctions/{held}"],
        "/{system}/admin/runs/{task}/{year}": [f"/{system}/admin/runs/allocate/{plan.year + 1}", f"/{system}/admin/runs/penalise/{judged}"],
        "/{system}/admin/deadline/{year}": [f"/{system}/admin/deadline/{plan.year}", f"/{system}/admin/deadline/{judged}"],
        "/{system}/admin/law/{topic}/{parameter}": [f"/{system}/admin/law/penalty/amount", f"/{system}/admin/law/calendar/agenda"],
        "/{system}/auctions/{auction}": [f"/{system}/auctions/{announced}", f"/{system}/auctions/{held}"],
        "/{system}/bids/{auction}": [f"/{system}/bids/{announced}", f"/{system}/bids/{held}"],
        "/{system}/compliance/{year}": [f"/{system}/compliance/{judged}", f"/{system}/compliance/{plan.year}"],
        "/{system}/law/{topic}": [f"/{system}/law/obligation", f"/{system}/law/calendar"],
        "/{system}/law/{topic}/{parameter}": [f"/{system}/law/cap/reduction_factor", f"/{system}/law/calendar/agenda"],
        "/{system}/market/{instrument}": [f"/{system}/market/{code}" for code in codes[:2]],
        "/{system}/trade/{instrument}": [f"/{system}/trade/{code}" for code in codes[:2]],
        "/{system}/participants/{participant}": [f"/{system}/participants/{others[0]}", f"/{system}/participants/{plan.shown.participant}"],
        "/{system}/buy": [f"/{system}/buy?quantity=100"],
    }
    found = {}
    for (method, route), _allow in sorted(allowed().items()):
        if method == "GET" and not NOT_OPENED.search(route):
            found[route] = several[route] if route in several else [filled(route)]
    return found


def visitors(route: str) -> list[str]:
    """Who opens a page in this test: `` for what is public."""
    roles = allowed()[("GET", route)].roles
    if "public" in roles:
        return [""]
    if any(f"{{{name}}}" in route for name in ("account", "proposal", "application")) and "/admin/" not in route:
        return ["operator"]
    may = [name for name in WHO if (name in roles or "person" in roles) and not (name == "operator" and TRADERS.search(route))]
    return may if route in EVERYBODYS else may[:1]


@pytest.fixture(scope="module")
def people(chromium: Any, shared_served: Any) -> Iterator[dict[str, Person]]:
    """Everybody, signed in once; each at one tab."""
    found = {name: Person(chromium, shared_served, name, size=WIDE) for name in ("", *WHO)}
    yield found
    for person in found.values():
        person.done()


def kept(person: Person, name: str, size: tuple[int, int], look: str) -> None:
    """A picture for a person to look at, where one is wanted."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        file = re.sub(r"[^\w]+", "-", name).strip("-")[:80] or "start"
        person.page.screenshot(path=f"{PICTURES}/{person.persona or 'public'}_{person.language}_{file}_{size[0]}_{look}.png", full_page=True)


def looked_at(person: Person, path: str, dark: bool) -> list[str]:
    """Everything that is wrong with one page. dark: in which look axe reads it; colours are all that differs between the two."""
    page = person.page
    first = "dark" if dark else "light"
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme=first)
    before = len(person.wrong)
    answer = person.go(path)
    wrong = [] if answer.status == 200 else [f"answered {answer.status}"]
    if page.locator("h1").count() != 1:
        wrong.append(f"{page.locator('h1').count()} headings of the first order")
    wrong += [f"a picture did not come: {one}" for one in page.evaluate(PICTURES_COME)]
    wrong += person.readable()
    for size in (*SIZES, NARROWEST):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > size[0]:
            wrong.append(f"scrolls sideways at {size[0]}: {wide} wide, {page.evaluate(WIDEST)}")
        if PICTURES and size in SIZES:
            for look in ("light", "dark"):
                page.emulate_media(color_scheme=look)
                page.evaluate(PICTURES_COME)
                kept(person, path, size, look)
            page.emulate_media(color_scheme=first)
    other = "light" if dark else "dark"
    page.emulate_media(color_scheme=other)
    person.until("look => document.documentElement.dataset.bsTheme === look", other)
    return wrong + person.wrong[before:]


#: Waits for the pictures that are to be seen, also far below; the addresses of those that failed.
PICTURES_COME = """() => Promise.all([...document.images].filter(one => one.offsetParent).map(one => { one.loading = "eager";
  return one.decode().then(() => "", () => one.currentSrc || one.src); })).then(all => all.filter(Boolean))"""
WIDEST = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1
  && !one.closest(".table-frame, pre")).slice(0, 3).map(one => one.tagName + "." + one.className)"""


@pytest.mark.parametrize("persona", ["public", *WHO])
def test_every_page_is_whole_at_every_size_and_look(people: dict[str, Person], examples: dict[str, list[str]], persona: str) -> None:
    person = people["" if persona == "public" else persona]
    pages = [path for route, paths in examples.items() if person.persona in visitors(route) for path in paths]
    assert len(pages) >= {"public": 30, "verifier": 5}.get(persona, 8), pages
    wrong = {path: found for number, path in enumerate(pages) if (found := looked_at(person, path, bool(number % 2)))}
    assert not wrong, "\n".join(f"{path}: {one}" for path, found in wrong.items() for one in found)


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_pages_of_each_kind_in_each_language(people: dict[str, Person], examples: dict[str, list[str]], language: str) -> None:
    """The pages that people see first, in the other languages: marked as such, and no wider than the window."""
    person = people["operator"]
    person.language, wrong = language, {}
    try:
        for route in ("/", "/login", "/systems", *(f"/{{system}}/{one}" for one in ("home", "obligation", "surrender", "trade", "market"))):
            for path in examples[route]:
                found = looked_at(person, path, dark=False)
                found += [] if person.page.locator("html").get_attribute("lang") == language else ["is in another language"]
                wrong |= {path: found} if found else {}
    finally:
        person.language = "en"
    assert not wrong, "\n".join(f"{path}: {one}" for path, found in wrong.items() for one in found)


def test_what_is_not_there_says_what_is(come: Callable[..., Person]) -> None:
    """Faults are pages too: readable, in their place, with a number to ask about."""
    person = come()
    person.forgiven = ("404", "Failed to load resource")
    for path in ("/nowhere", person.here("/participants/none"), person.here("/auctions/none")):
        answer = person.go(path)
        assert answer.status == 404 and person.page.locator("h1").count() == 1
        assert person.readable() == []
        kept(person, f"404{path}", WIDE, "light")
