"""The operator's day and the verifier's: report, verify, buy, surrender, approve; what is not one's own is not there; faults stand beside fields."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import polars as pl
import pytest

from tonne.interfaces.web.place import Place

Visit = Callable[..., Any]


@pytest.fixture
def here(place: Place) -> Callable[[str], str]:
    return lambda path: f"/{place.demo.hall.system}{path}"


@pytest.fixture
def mine(place: Place) -> Any:
    """The shown operator: participant, installation, account, the year to report."""
    return place.demo.plan


class Clicks:
    """A visitor of whom every page asked for and every form sent is counted; the login is not."""

    def __init__(self, browser: Any) -> None:
        self.browser, self.count = browser, 0

    def go(self, page: httpx.Response | str, text: str = "") -> httpx.Response:
        """Follow the first link of a page whose words are these."""
        self.count += 1
        if isinstance(page, str):
            return self.browser.get(page)
        links = [
            (unescape(re.sub("<[^>]+>", "", words)).strip(), unescape(href))
            for href, words in re.findall(r'<a\b[^>]*?href="([^"]+)"[^>]*>(.*?)</a>', page.text, re.S)
        ]
        href = next((href for words, href in links if words == text or (text.endswith("*") and words.startswith(text[:-1]))), None)
        assert href is not None, f"no link {text!r} on {page.url}: {[words for words, _ in links]}"
        return self.browser.get(href)

    def send(self, page: httpx.Response, action: str, **fields: Any) -> httpx.Response:
        self.count += 1
        return self.browser.post_form(page, action, **fields)


def figure(page: httpx.Response, label: str) -> str:
    """A figure of a page by its label, without grouping."""
    found = re.search(rf'figure-label">{re.escape(label)}</dt>\s*<dd class="figure-value">(.*?)</dd>', page.text, re.S)
    assert found is not None, f"{page.url} has no figure {label!r}"
    return re.sub(r"<[^>]+>|[\u202f\s]", "", found.group(1))


def entries(place: Place) -> int:
    return place.demo.hall.sequence


def test_the_day_of_an_operator(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    """From "what do I owe" to nothing missing: reported, verified, bought, surrendered, approved, in under 25 clicks; buying takes three."""
    installation, year = mine.shown.installation, mine.year
    operator, verifier, approver = Clicks(visit("operator")), Clicks(visit("verifier")), Clicks(visit("approver"))
    home = operator.browser.get(here("/home"))
    held = int(figure(home, "You hold").removesuffix("EUA"))
    assert int(figure(home, "Missing").removesuffix("EUA")) > 0
    assert "estimated: last year" in home.text

    report = operator.go(home, "Report")
    assert report.url.path == here(f"/reports/{installation}/{year}")
    sent = operator.send(report, f"/reports/{installation}/{year}", emissions=held + 100)
    assert "with the verifier" in sent.text

    inbox = verifier.browser.get(here("/home"))
    assert "Reports to verify" in inbox.text
    looked = verifier.go(here(f"/reports/{installation}/{year}"))
    code = place.demo.code_of(place.demo.login_of("verifier").person)
    signed = verifier.send(looked, f"/verify/{installation}/{year}", code=code)
    assert figure(signed, "Verified") == f"{held + 100}t"

    home = operator.go(here("/home"))
    assert figure(home, "Missing") == "100EUA" and "for 2025; verified" in home.text
    before = operator.count
    buying = operator.go(home, "Buy")
    costs = operator.send(buying, "/buy", quantity=100, price=field(buying, "price"), lasting="day")
    bought = operator.send(costs, "/buy")
    assert operator.count - before == 3
    assert "Bought 100 EUA" in bought.text

    surrender = operator.go(bought, "Surrender")
    assert field(surrender, "quantity") == str(held + 100)
    review = operator.send(surrender, "/surrender", quantity=field(surrender, "quantity"))
    assert f"Surrender {held + 100:,} EUA".replace(",", "\u202f") in review.text
    code = place.demo.code_of(place.demo.login_of("operator").person)
    task = operator.send(review, "/propose", code=code)
    assert "awaiting approval" in task.text
    waits = operator.browser.get(here("/home"))
    assert "A surrender waits for a second person." in waits.text

    at_home = approver.browser.get(here("/home"))
    assert "waits for you" in at_home.text
    task = approver.go(at_home, "Look and approve")
    time.sleep(1.1)  # an approval faster than reading is refused
    code = place.demo.code_of(place.demo.login_of("approver").person)
    receipt = approver.send(task, "/approve", code=code)
    assert "completed" in receipt.text

    home = operator.go(here("/home"))
    assert (figure(home, "You still owe"), figure(home, "Missing")) == ("0EUA", "0EUA")
    assert "Nothing is missing" in home.text
    assert operator.count + verifier.count + approver.count < 25
    history = operator.browser.get(here("/history"))
    assert all(word in history.text for word in ("Report emissions", "Orders", "Proposed", "Approved"))


def field(page: httpx.Response, name: str) -> str:
    """What a field of a page's form holds."""
    found = re.search(rf'<input\b[^>]*name="{name}"[^>]*value="([^"]*)"', page.text)
    assert found is not None, f"{page.url} has no field {name}"
    return unescape(found.group(1))


def faults(page: httpx.Response) -> list[str]:
    """What stands beside fields."""
    return [
        unescape(re.sub("<[^>]+>", "", text)).strip() for text in re.findall(r'<p class="field-error" id="error-[^>]*>(.*?)</p>', page.text, re.S)
    ]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(visit: Visit, here: Any, mine: Any) -> None:
    browser = visit("operator")
    page = f"/reports/{mine.shown.installation}/{mine.year}"
    wrong = browser.post_form(here(page), page, emissions="1.200,5")
    assert wrong.status_code == 422 and "Whole numbers only" in faults(wrong)[0] and field(wrong, "emissions") == "1.200,5"
    far = browser.post_form(here(page), page, emissions="99999999")
    assert far.status_code == 422 and "tick that you have checked it" in faults(far)[0] and field(far, "emissions") == "99999999"
    assert "with the verifier" in browser.post_form(far, page, emissions="99999999", checked="yes").text

    buying = browser.get(here("/buy"))
    wrong = browser.post_form(buying, "/buy", quantity="ten", price="0", lasting="day")
    assert wrong.status_code == 422 and len(faults(wrong)) == 2 and field(wrong, "quantity") == "ten"
    rich = browser.post_form(buying, "/buy", quantity="90000000", price=field(buying, "price"), lasting="day")
    assert rich.status_code == 422 and "not covered" in faults(rich)[0] and field(rich, "quantity") == "90000000"

    surrender = browser.get(here("/surrender"))
    assert "lacking" in faults(browser.post_form(surrender, "/surrender", quantity="99999999"))[0]
    assert faults(browser.post_form(surrender, "/surrender", quantity="0"))

    account = f"operator:{mine.shown.installation}"
    wrong = browser.post_form(here("/transfers/new"), "/transfers/new", to="other", other="nowhere", unit="EUA", quantity="5", **{"from": account})
    assert wrong.status_code in (409, 422) and "no account" in faults(wrong)[0] and field(wrong, "other") == "nowhere"
    much = browser.post_form(
        here("/transfers/new"), "/transfers/new", to="other", other="trader-1", unit="EUA", quantity="99999999", **{"from": account}
    )
    assert "Available:" in faults(much)[0]
    assert "no account" in faults(browser.post_form(here(f"/accounts/{account}/trusted"), "/trusted", target="<script>"))[0]


def test_what_is_not_ones_own_is_not_there(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    operator, verifier, trader = visit("operator"), visit("verifier"), visit("trader")
    own = mine.shown.installation
    other = next(one.installations[0] for one in mine.society.operators if one.participant != mine.shown.participant)
    for path in (
        f"/reports/{other}/{mine.year}",
        f"/allocation/{other}/{mine.year}",
        f"/accounts/operator:{other}",
        f"/accounts/operator:{other}/trusted",
        f"/surrender?installation={other}",
        "/accounts/surrendered",
        "/accounts/nowhere",
        "/buy/0123456789abcdef",
        f"/reports/{own}/abcd",
        f"/reports/{own}/{mine.year + 1}",
        "/verify",
    ):
        assert operator.get(here(path)).status_code == 404, path
    hidden = operator.form(operator.get(here(f"/reports/{own}/{mine.year}")), f"/reports/{own}/{mine.year}")
    assert operator.post(here(f"/reports/{other}/{mine.year}"), data=hidden | {"emissions": "5"}).status_code == 404
    assert operator.post(here(f"/accounts/operator:{other}/trusted"), data=hidden | {"target": "trader-1"}).status_code == 404
    assert operator.post(here("/surrender"), data=hidden | {"period": f"{other} {mine.year}", "quantity": "5"}).status_code == 404
    stolen = operator.post(
        here("/transfers/new"), data=hidden | {"from": f"operator:{other}", "to": "other", "other": "trader-1", "unit": "EUA", "quantity": "5"}
    )
    assert stolen.status_code == 422 and "Choose one of the list." in faults(stolen)[0]
    for path in ("/accounts", "/obligation", "/buy", "/surrender", "/transfers/new"):
        assert verifier.get(here(path)).status_code == 404, path
    assert trader.get(here(f"/reports/{own}/{mine.year}")).status_code == 404
    assert trader.get(here(f"/accounts/operator:{own}")).status_code == 404
    for path in ("/home", "/obligation", f"/accounts/operator:{own}", "/reports"):
        assert visit("").get(here(path)).url.path == "/login", path


def test_sent_twice_is_done_once(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    operator, verifier = visit("operator"), visit("verifier")
    installation, year = mine.shown.installation, mine.year
    path = f"/reports/{installation}/{year}"
    last = last_year(operator.get(here(path)))

    def twice(browser: Any, page: httpx.Response, action: str, **fields: Any) -> tuple[httpx.Response, httpx.Response]:
        before = entries(place)
        first = browser.post_form(page, action, **fields)
        assert entries(place) == before + 1, first.text[:2000]
        again = browser.post_form(page, action, **fields)
        assert entries(place) == before + 1
        return first, again

    first, again = twice(operator, operator.get(here(path)), path, emissions=last)
    assert first.status_code == again.status_code == 200 and first.url == again.url
    costs = operator.post_form(here("/buy"), "/buy", quantity=100, price=field(operator.get(here("/buy")), "price"), lasting="ioc")
    first, again = twice(operator, costs, "/buy")
    assert first.url == again.url and "Bought 100 EUA" in again.text

    code = place.demo.code_of(place.demo.login_of("verifier").person)
    first, again = twice(verifier, verifier.get(here(path)), f"/verify/{installation}/{year}", code=code)
    assert figure(again, "Verified") == f"{last}t"
    review = operator.post_form(here("/surrender"), "/surrender", quantity=10)
    code = place.demo.code_of(place.demo.login_of("operator").person)
    first, again = twice(operator, review, "/propose", code=code)
    assert first.url == again.url


def last_year(page: httpx.Response) -> int:
    return int(figure(page, "Year before").removesuffix("t"))


def test_returned_with_findings_and_the_second_version_shows_the_difference(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    operator, verifier = visit("operator"), visit("verifier")
    installation, year = mine.shown.installation, mine.year
    path = f"/reports/{installation}/{year}"
    last = last_year(operator.get(here(path)))
    operator.post_form(here(path), path, emissions=last)

    def code() -> str:
        return str(place.demo.code_of(place.demo.login_of("verifier").person))

    page = verifier.get(here(path))
    empty = verifier.post_form(page, f"/verify/{installation}/{year}/return", code=code())
    assert empty.status_code == 422 and "Say what was found" in faults(empty)[0]
    unsigned = verifier.post_form(page, f"/verify/{installation}/{year}/return", code="000000", **{"note-0": "a meter is missing"})
    assert unsigned.status_code == 422 and "a meter is missing" in unsigned.text
    evil = "<script>alert(1)</script> a meter is missing"
    done = verifier.post_form(unsigned, f"/verify/{installation}/{year}/return", code=code(), **{"note-0": evil, "note-1": "counted twice"})
    assert done.status_code == 200 and "returned with findings" in done.text

    seen = operator.get(here(path))
    assert "What the verifier found" in seen.text and "counted twice" in seen.text
    assert "<script>alert" not in seen.text and "&lt;script&gt;alert(1)" in seen.text
    stale = verifier.get(here(path))
    operator.post_form(seen, path, emissions=last + 40)
    assert "verify_form" not in stale.text
    second = verifier.get(here(path))
    assert "Second version" in second.text and "A difference of 40 t" in second.text
    old = verifier.form(second, f"/verify/{installation}/{year}") | {"figure": str(last), "code": code()}
    changed = verifier.post(here(f"/verify/{installation}/{year}"), data=old)
    assert changed.status_code == 409 and "changed or decided meanwhile" in faults(changed)[0]
    assert figure(verifier.post_form(second, f"/verify/{installation}/{year}", code=code()), "Verified") == f"{last + 40}t"


def test_a_file_with_faults_loads_nothing_and_tells_where(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    browser = visit("operator")
    installation, year = mine.shown.installation, mine.year
    rows = [f"{installation};{year};1.200,5", "", f"other;{year};10", f"{installation};{year - 1};5", f"{installation};{year};99999999"]
    before = entries(place)
    page = browser.post_form(
        here("/reports"),
        "/reports/upload",
        files={"file": ("of the plant.csv", "\r\n".join(["Installation;Year;Emissions", *rows]).encode(), "text/csv")},
    )
    assert page.status_code == 422 and entries(place) == before
    assert "Nothing was loaded. 4 of 4 rows have faults." in page.text and "of the plant.csv" in page.text
    for told in (
        "row 2",
        "1.200,5",
        "whole tonnes only",
        "row 4",
        "no installation of yours",
        "row 5",
        "not open for reports",
        "row 6",
        "tick that you have checked it",
    ):
        assert told in page.text, told
    many = (
        "installation,year,emissions\n"
        + f"=cmd,{year},1\n" * 811
        + f"{installation},{year},{last_year(browser.get(here(f'/reports/{installation}/{year}')))}\n"
    )
    page = browser.post_form(here("/reports"), "/reports/upload", files={"file": ("<b>.csv", many.encode(), "text/csv")})
    assert "811 of 812 rows have faults" in page.text and "row 51<" in page.text and "row 52<" not in page.text
    assert "<b>.csv" not in page.text
    file = browser.get(here("/reports/faults"))
    frame = pl.read_csv(io.BytesIO(file.content))
    assert frame.height == 811 and frame["value"][0] == "'=cmd"
    for wrong in (b"\xff\xfe\x00", b"installation,year\n", b"", b'installation,year,emissions\n"open', b"a\0b"):
        page = browser.post_form(here("/reports"), "/reports/upload", files={"file": ("x.csv", wrong, "text/csv")})
        assert page.status_code == 422 and faults(page), wrong
    assert entries(place) == before

    template = browser.get(here("/reports/template?last=yes"))
    sent = browser.post_form(here("/reports"), "/reports/upload", files={"file": ("back.csv", template.content, "text/csv")})
    assert sent.status_code == 200 and "1 report was sent to the verifier." in sent.text and entries(place) == before + 1


def test_a_draft_is_kept_until_it_is_sent(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    browser = visit("operator")
    path = f"/reports/{mine.shown.installation}/{mine.year}"
    hidden = browser.form(browser.get(here(path)), path)
    saved = browser.post(here(f"{path}/draft"), data=hidden | {"emissions": "12 3x"})
    assert saved.status_code == 200 and "Draft saved" in saved.text
    assert field(browser.get(here(path)), "emissions") == "12 3x"
    kept = browser.post_form(here(path), path, emissions="10800", step="draft")
    assert field(kept, "emissions") == "10800" and "not filed" not in kept.text
    browser.post_form(kept, path, emissions="10800")
    assert "Your draft of" not in browser.get(here(path)).text


def test_a_transfer_says_when_it_leaves_before_anything_else(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    browser, approver = visit("operator"), visit("approver")
    account = f"operator:{mine.shown.installation}"
    line = browser.get(here("/transfers/when"), params={"from": account, "to": "other", "other": "trader-1"})
    assert "Units leave" in line.text and "not on your trusted list" in line.text and "<html" not in line.text
    page = browser.get(here("/transfers/new"))
    told = browser.post_form(page, "/transfers/new", to="other", other="trader-1", unit="EUA", step="when", **{"from": account})
    assert told.text.index("Units leave") < told.text.index('name="from"') and field(told, "other") == "trader-1"
    review = browser.post_form(told, "/transfers/new", to="other", other="trader-1", unit="EUA", all="yes", reason="sold", **{"from": account})
    assert "Transfer 10" in review.text and "First transfer to this account" in review.text and "can be cancelled until" in review.text

    trusted = here(f"/accounts/{account}/trusted")
    assert "Added now, it counts from" in browser.get(trusted).text
    review = browser.post_form(trusted, "/trusted", target="trader-1")
    assert "Trust account trader-1" in review.text
    task = browser.post_form(review, "/propose", code=place.demo.code_of(place.demo.login_of("operator").person))
    seen = approver.get(str(task.url))
    time.sleep(1.1)  # an approval faster than reading is refused
    approver.post_form(seen, "/approve", code=place.demo.code_of(place.demo.login_of("approver").person))
    listed = browser.get(trusted)
    assert "pending" in listed.text and "No longer trust trader-1" in listed.text
    assert "trader-1, not trusted yet" in browser.get(here("/transfers/new")).text
    off = browser.post_form(listed, "/trusted", remove="trader-1")
    assert "Stop trusting account trader-1, at once." in off.text


def test_accounts_add_up_on_page_and_in_files(visit: Visit, here: Any, mine: Any) -> None:
    browser = visit("operator")
    account = f"operator:{mine.shown.installation}"
    page = browser.get(here(f"/accounts/{account}"))
    rows = json.loads(browser.get(here(f"/accounts/{account}.json")).text)["rows"]
    assert f"{len(rows)} rows" in page.text
    total = sum(row["quantity"] * (1 if row["direction"] == "in" else -1) for row in rows if row["unit"] == "EUA")
    assert f"{total:,}".replace(",", "\u202f") in page.text
    assert "Ana Costa" in page.text and "Li Wei" in page.text
    assert browser.get(here(f"/accounts/{account}?chart=balance")).headers["content-type"] == "image/svg+xml"
    told = browser.get(here(f"/allocation/{mine.shown.installation}/{mine.year}"))
    assert told.status_code == 200 and "benchmark" in told.text.lower() and "Result" in told.text


def test_names_of_others_are_only_names(place: Place, visit: Visit, here: Any, mine: Any) -> None:
    """What somebody registered as a name is never run: neither by the page nor by a spreadsheet."""
    hall = place.demo.hall
    rows = pl.DataFrame({"installation": ["=1+1"], "name": ["<script>alert(1)</script>"], "operator": [mine.shown.participant]})
    reply = hall.send(hall.command("administrator", "evil-names-1", "register_installations", {}, {"installations": rows}))
    assert reply.accepted, reply.reason
    browser = visit("operator")
    for path in (
        "/home",
        "/obligation",
        "/accounts",
        "/reports",
        "/surrender",
        "/accounts/operator:=1+1",
        f"/reports/=1+1/{mine.year}",
        f"/allocation/=1+1/{mine.year}",
    ):
        page = browser.get(here(path))
        assert page.status_code == 200 and "<script>alert" not in page.text, path
    for path in ("/reports.csv", "/obligation.csv"):
        text = browser.get(here(path)).text
        assert "'=1+1" in text and "\n=1+1" not in text and ",=1+1" not in text, path


def test_every_role_has_a_home(visit: Visit, here: Any) -> None:
    for persona in ("operator", "approver", "verifier", "trader", "administrator", "colleague", "auditor"):
        assert visit(persona).get(here("/home")).status_code == 200, persona
    page = visit("administrator").get(here("/reports"))
    assert page.status_code == 200 and "250" in page.text
