"""The public pages, seen by somebody who is signed out: every address answers, figures agree with their files, nothing shows before its day."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tonne.interfaces.api import systems
from tonne.interfaces.web import law_words, shelf, worldmap
from tonne.interfaces.web.pages import help as help_pages
from tonne.interfaces.web.pages import world_charts
from tonne.interfaces.web.render import HERE
from tonne.interfaces.web.words import LANGUAGES

Look = Callable[[str], Any]
#: Evenly chosen, so that every design and status comes by; all of them have the same pages.
SAMPLE = systems()[::6]
FIXED = [
    "/", "/systems", "/systems/map", "/compare", "/charts", "/data", "/search", "/search?q=cap", "/help", "/glossary", "/status",
    *(f"/charts/{name}" for name in world_charts.ABOUT),
]  # fmt: skip
COUNT = re.compile(r'class="caption-count">\s*([\d\u202f]+) row')
INLINE = re.compile(r"""<style|\sstyle\s*=|\son[a-z]+\s*=\s*["']|<script(?![^>]*\ssrc=)[^>]*>|javascript:""", re.IGNORECASE)


@pytest.fixture(scope="module")
def here(shared_place: Any) -> str:
    """The system whose market is open."""
    return str(next(iter(shared_place.halls)))


@pytest.fixture(scope="module")
def addresses(look: Look, here: str) -> list[str]:
    """The pages of the open market, with an id of each kind taken from its lists."""
    browser = look("")

    def first(page: str, kind: str) -> str:
        found = re.search(rf'href="(/{here}/{kind}/[^"?]+)"', browser.get(f"/{here}/{page}").text)
        assert found, f"/{here}/{page} links to no {kind}"
        return found.group(1)

    own = ("", "/law", "/law/changes", "/calendar", "/participants", "/compliance", "/transactions", "/auctions", "/market", "/data")
    ids = [("participants", "participants"), ("participants", "installations"), ("auctions", "auctions"), ("market", "market")]
    return [*(f"/{here}{path}" for path in own), *(first(page, kind) for page, kind in ids)]


def test_fixed_addresses_answer(look: Look) -> None:
    for address in FIXED:
        answer = look("").get(address)
        assert answer.status_code == 200, (address, answer.text[:300])
        assert answer.text.count("<h1") == 1, address


@pytest.mark.parametrize("system", SAMPLE)
def test_every_system_has_its_pages(look: Look, system: str) -> None:
    for path in ("", "/law", "/law/changes", "/calendar", "/data"):
        answer = look("").get(f"/{system}{path}")
        assert answer.status_code == 200, (system, path, answer.text[:300])
    topic, _, name = next(iter(shelf.books()[system].parameters)).partition(".")
    for path in (f"/law/{topic}", f"/law/{topic}/{name}", "/law.csv"):
        assert look("").get(f"/{system}{path}").status_code == 200, (system, path)


def test_pages_of_the_open_market_answer(look: Look, addresses: list[str]) -> None:
    for address in addresses:
        answer = look("").get(address)
        assert answer.status_code == 200, (address, answer.text[:300])


def test_nothing_is_inline(look: Look, addresses: list[str]) -> None:
    for address in [*FIXED, *addresses, "/compare?s=" + ",".join(SAMPLE[:3]), "/no-such-place"]:
        found = INLINE.search(look("").get(address).text)
        assert found is None, (address, found)


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant"])
def test_names_come_in_the_readers_language(look: Look, language: str, here: str) -> None:
    name = shelf.books()[here].system.name[language]
    for address in ("/systems", f"/{here}", f"/{here}/law", "/"):
        text = look("").get(f"/{language}{address}").text
        assert name in text and f'lang="{language}"' in text, (language, address)


# -- files and figures agree


@pytest.mark.parametrize(
    "address",
    ["/systems", "/systems?status=in_force", "/systems?name=trading&sort=-coverage_percent", "/charts/prices", "/charts/revenue", "/glossary",
     "/HERE/participants", "/HERE/participants?sector=power", "/HERE/auctions?year=2025", "/HERE/market", "/HERE/data"],
)  # fmt: skip
def test_a_file_has_as_many_rows_as_the_page_counts(look: Look, here: str, address: str) -> None:
    address = address.replace("HERE", here)
    path, _, query = address.partition("?")
    counted = COUNT.search(look("").get(address).text)
    assert counted, address
    number = int(counted.group(1).replace("\u202f", ""))
    assert number > 0
    assert look("").get(f"{path}.json?{query}").json()["count"] == number
    lines = look("").get(f"{path}.csv?{query}").text.strip().split("\r\n")
    assert len(lines) - 1 >= number  # a text may hold line ends


def test_a_judged_year_shows_late_and_short_first_and_sums_to_its_file(look: Look, here: str) -> None:
    page = look("").get(f"/{here}/compliance")
    assert re.search(r"/compliance/\d{4}$", str(page.url))
    rows = look("").get(f"{page.url.path}.json").json()["rows"]
    letters = [row["letter"] for row in rows]
    assert letters == sorted(letters, key="CDBEXA-".index) and set(letters) > {"A"}, "the sample holds somebody who is short"
    missing = sum(row["missing"] for row in rows)
    assert missing > 0 and f"{missing:,}".replace(",", "\u202f") in page.text


# -- the law on a day


def test_the_day_changes_a_figure_where_the_law_changed(look: Look, here: str) -> None:
    book = shelf.books()[here]
    one, value = next(
        (parameter, later)
        for parameter in book.parameters.values()
        for earlier, later in zip(parameter.values, parameter.values[1:], strict=False)
        if parameter.by is None
        and type(earlier.value) is type(later.value) is int
        and earlier.value != later.value
        and later.published == later.starts
    )
    topic, _, name = one.path.partition(".")
    address = f"/{here}/law/{topic}/{name}"
    before = one.at(value.starts - timedelta(days=1))

    def shown(**query: Any) -> str:
        found = re.search(r'class="law-value">([^<]*)<', look("").get(address, params=query).text)
        return found.group(1).replace("\u202f", "") if found else ""

    assert shown(on=value.starts).startswith(str(value.value))
    assert shown(on=value.starts - timedelta(days=1)).startswith(str(before))
    assert shown(on=value.starts, known=value.published - timedelta(days=1)).startswith(str(before))
    changes = look("").get(f"/{here}/law/changes.json", params={"from": value.starts - timedelta(days=1), "to": value.starts}).json()["rows"]
    assert one.path in {row["parameter"] for row in changes}


def test_a_day_that_is_none_is_said_so(look: Look, here: str) -> None:
    answer = look("").get(f"/{here}/law?on=31-12-2024")
    assert answer.status_code == 400


def test_days_on_which_something_changed_are_those_of_the_values(look: Look, here: str) -> None:
    from tonne.interfaces.web.pages.law_pages import change_days

    book = shelf.books()[here]
    days = change_days(book)
    assert sum(days.values()) <= sum(len(parameter.values) for parameter in book.parameters.values())
    assert list(days) == sorted(days) and min(days) >= book.system.begins


# -- side by side


def test_only_differences_leaves_out_what_is_the_same(look: Look) -> None:
    pair = [one for one in systems() if shelf.books()[one].system.currency == "EUR" and shelf.books()[one].system.has_law][:2]
    whole = look("").get("/compare", params={"s": ",".join(pair)}).text
    only = look("").get("/compare", params={"s": ",".join(pair), "only": "differences"}).text
    assert re.search(r'scope="row">Money<', whole) and not re.search(r'scope="row">Money<', only)
    linked = re.findall(rf'<td><a href="(/{pair[0]}/law/[^"]+)"', whole)
    assert linked and all(look("").get(address).status_code == 200 for address in linked[:5])


def test_a_pick_list_leads_to_one_address(look: Look) -> None:
    answer = look("").get("/compare", params=[("s", SAMPLE[0]), ("s", SAMPLE[1])])
    assert answer.status_code == 200 and answer.url.params["s"] == f"{SAMPLE[0]},{SAMPLE[1]}"
    assert look("").get("/compare", params={"s": ",".join(systems()[:5])}).status_code == 400


# -- what is not there


def test_an_unknown_id_is_404_and_names_what_may_be_meant(look: Look, here: str, addresses: list[str]) -> None:
    parameter = next(path for path in shelf.books()[here].parameters if len(path) > 12)
    participant = next(address for address in addresses if "/participants/" in address)
    law = f"/{here}/law/{parameter.replace('.', '/', 1)}"
    for known in (f"/{here}", law, participant, "/charts/revenue"):
        answer = look("").get(f"{known}x")
        assert answer.status_code == 404, known
        assert f'href="{known}"' in answer.text, (known, re.findall(r'href="(/[^"]+)"', answer.text)[-12:])


@pytest.mark.parametrize("path", ["law/nonsense", "participants/../x", "compliance/20x4", "compliance/1850", "auctions/none", "market/none"])
def test_nonsense_is_404(look: Look, here: str, path: str) -> None:
    assert look("").get(f"/{here}/{path}").status_code == 404


def test_a_system_without_a_market_has_no_register(look: Look, here: str) -> None:
    other = next(one for one in systems() if one != here)
    for path in ("participants", "compliance", "transactions", "auctions", "market"):
        assert look("").get(f"/{other}/{path}").status_code == 404, path


# -- publication


def test_before_its_day_nobody_complied(look: Look, here: str, shared_place: Any) -> None:
    hall = shared_place.halls[here]
    with hall.read() as state:
        judged = {int(task.partition(":")[2]) for task in state.done if task.startswith("surrender:")}
        names = state.installations.frame["name"].to_list()
    year = max(judged) + 1
    page = look("").get(f"/{here}/compliance/{year}")
    assert page.status_code == 200 and "Published on" in page.text
    assert not any(name in page.text for name in names)
    for form in ("csv", "json", "parquet"):
        assert look("").get(f"/{here}/compliance/{year}.{form}").status_code == 404
    installation = next(iter(state.installations.frame["installation"].to_list()))
    rows = look("").get(f"/{here}/installations/{installation}.json").json()["rows"]
    assert all(row.get("verified") is None for row in rows if row["year"] > max(judged))


def test_a_transaction_shows_on_the_anniversary_of_its_day_and_not_before(place: Any, visit: Any, here: str) -> None:
    browser, hall = visit(""), place.halls[here]
    page = browser.get(f"/{here}/transactions")
    assert "3 years of delay, set by the law." in page.text
    assert browser.get(f"/{here}/transactions.json").json()["count"] == 0
    with hall.read() as state:
        first = min(datetime.fromisoformat(notice["day"]).date() for notice in state.noticed("auction_result", None))
    day = first.replace(year=first.year + 3)

    def shown() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = browser.get(f"/{here}/transactions.json").json()["rows"]
        return [row for row in rows if row["day"] == first.isoformat()]

    place.clock.push(datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(days=1))
    assert shown() == [] and first.isoformat() not in browser.get(f"/{here}/transactions").text
    place.clock.push(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    assert shown() and f"Complete up to {first}" in browser.get(f"/{here}/transactions").text


def test_an_auction_that_takes_bids_tells_of_none(look: Look, here: str, shared_place: Any) -> None:
    with shared_place.halls[here].read() as state:
        names = list(state.exchange.sales)
    assert names
    text = look("").get(f"/{here}/auctions/{names[0]}").text
    assert "Bids are sealed" in text and "Bidders" not in text


# -- pictures


def test_every_chart_is_drawn_in_both_themes_and_has_its_rows(look: Look, addresses: list[str]) -> None:
    seen = set()
    for address in ["/systems/map", *(f"/charts/{name}" for name in world_charts.ABOUT), *addresses, "/compare?s=" + ",".join(SAMPLE[:2])]:
        page = look("").get(address).text
        for source in re.findall(r'<img class="on-(?:light|dark)" src="([^"]+)"', page):
            answer = look("").get(source.replace("&amp;", "&"))
            assert answer.status_code == 200 and answer.headers["content-type"] == "image/svg+xml", (address, source)
            assert answer.text.startswith("<svg") and "NaN" not in answer.text, (address, source)
            seen.add(source)
        for source in re.findall(r'<a href="([^"]+as=csv[^"]*)" download', page):
            assert len(look("").get(source.replace("&amp;", "&")).text.splitlines()) > 1, (address, source)
    assert len(seen) > 20


def test_every_system_has_a_place_on_the_map() -> None:
    assert set(worldmap.places()) == set(systems())
    known = {shape["id"] for shape in worldmap.shapes()["objects"]["countries"]["geometries"] if "id" in shape}
    named = {number for place in worldmap.places().values() for number in place.get("countries", ())}
    assert named <= known | {"470"}, sorted(named - known)


# -- words


def test_the_glossary_is_whole() -> None:
    ids = [one["id"] for one in help_pages.terms()]
    assert len(ids) == len(set(ids)) > 100
    for one in help_pages.terms():
        assert one["group"] in help_pages.GROUPS and all(one[code] for code in LANGUAGES), one["id"]
        assert "means" not in one or set(one["means"]) == set(LANGUAGES), one["id"]
    ends = {one["id"]: one["zh-Hans"] for one in help_pages.terms() if one["id"] in ("surrender", "retire", "cancel")}
    assert len(set(ends.values())) == 3


def test_every_code_of_the_law_has_words() -> None:
    from tonne.administration.agenda import TASKS
    from tonne.interfaces.overview import CHAPTERS
    from tonne.law import vocabulary

    assert set(vocabulary.SYSTEM_STATUSES) == set(law_words.STATUSES) and set(vocabulary.DESIGNS) == set(law_words.DESIGNS)
    assert set(vocabulary.TOPICS) == set(law_words.TOPICS) and set(TASKS) == set(law_words.TASKS)
    assert set(vocabulary.LINKS) == set(law_words.LINKS) and set(CHAPTERS) == set(law_words.CHAPTERS)


# -- the first page


def test_the_first_page_signs_each_persona_in_with_one_click_and_is_light(look: Look, shared_place: Any) -> None:
    page: httpx.Response = look("").get("/")
    for login in shared_place.demo.logins:
        assert f'name="persona" value="{login.id}"' in page.text and login.email in page.text
    weight = len(gzip.compress(page.content))
    for name in set(re.findall(r'(?:src|href)="/assets/([^"#]+)', page.text)) - {"licences"}:
        if "licences" in name:
            continue
        file = HERE / "assets" / name
        packed = file.with_name(f"{name}.gz")
        weight += (packed if packed.is_file() else file).stat().st_size
    assert weight < 300_000, f"{weight:,} bytes"


def test_search_finds_people_things_and_law(look: Look, here: str, addresses: list[str]) -> None:
    number = next(address for address in addresses if "/installations/" in address).rpartition("/")[2]
    groups = {row["group"] for row in look("").get("/search.json", params={"q": number}).json()["rows"]}
    assert {"installations", "accounts"} <= groups
    assert "systems" in {
        row["group"] for row in look("").get("/search.json", params={"q": shelf.books()[here].system.name["zh-Hans"]}).json()["rows"]
    }
    assert look("").get("/search.json", params={"q": "benchmark"}).json()["count"] > 0
    assert look("").get("/search.json", params={"q": "<script>alert(1)</script>"}).json()["count"] == 0
    assert "<script>alert" not in look("").get("/search", params={"q": "<script>alert(1)</script>"}).text


def test_the_calendar_file_is_one(look: Look, here: str) -> None:
    answer = look("").get(f"/{here}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar") and answer.text.startswith("BEGIN:VCALENDAR\r\n")
    assert answer.text.count("BEGIN:VEVENT") == look("").get(f"/{here}/calendar.json").json()["count"] > 5
