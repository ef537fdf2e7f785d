"""W4, W6, W10, W11, I2, I6, I8: forms are our own, what people type stays text, and numbers are numbers."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from security_world import FORMULA, IMAGE, TEMPLATE, Actor, Walk, filled, mine, opened, routes, signed_in, walk

from tonne.interfaces.web.pages.login import safe_next
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.render import HERE

TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
BAD_NUMBERS = (
    "-1", "+1", "1.0", "1,5", "1e3", "1E3", "0x10", "0b1", "1_000", "１２", "٣", "۳", "²", "Ⅷ", "NaN", "nan", "inf", "Infinity",
    "-0", "true", "True", "None", "null",
    "1.", ".5", "1;2", "1'000", "1\u00a0000x", "--1", "1-", "1e", "١٢", "一", "1\u200b0", "1/2", "5%", "$5", "1\x000",
    "9" * 19, "0", "1\n2", "=1+1", "{{7*7}}",
)  # fmt: skip


@pytest.fixture(scope="module")
def walked(built_market: Path) -> Walk:
    return walk(built_market)


# -- whose form it is


def test_every_form_needs_its_token_and_its_origin(market_folder: Path) -> None:
    """W4, for every way to send that each may use: no token, another's token, another origin, another site. Nothing happens."""
    with opened(market_folder) as place:
        system, actors = place.demo.hall.system, [signed_in(place, name) for name in ("operator", "administrator", "trader")]
        actors.append(Actor(place))
        foreign = Actor(place, token="").csrf
        length, trail, wrong = place.demo.hall.sequence, place.people.audit.page(views=False).total, []
        for actor in actors:
            own = actor.csrf
            for method, route, allow in routes("POST", "PUT", "DELETE"):
                if route == "/csp" or route.endswith("/ask") or not actor.may(allow):  # a report, and a question: they change nothing
                    continue
                path = filled(route, {"system": system})
                tries: list[dict[str, str]] = [{}]
                if actor.name == "operator":
                    tries += [{"x-csrf-token": foreign}, {"x-csrf-token": "zz"}, {"x-csrf-token": own, "origin": "https://evil.example"}]
                    tries += [{"x-csrf-token": own, "origin": "null"}, {"x-csrf-token": own, "sec-fetch-site": "same-site"}]
                    tries += [{"x-csrf-token": own, "sec-fetch-site": "cross-site"}]
                for headers in tries:
                    answer = actor.client.request(method, path, headers=headers | {"idempotency-key": "a-key-of-mine", "accept": "application/json"})
                    wrong += [f"{actor.name or 'nobody'} {path} {headers}: {answer.status_code}"] if answer.status_code != 403 else []
        assert not wrong, "\n".join(wrong[:20])
        assert place.demo.hall.sequence == length and place.people.audit.page(views=False).total == trail


def test_a_redirect_stays_here() -> None:
    """W10."""
    bad = (
        "//evil.example",
        "https:evil",
        "https://evil.example",
        "/\\evil",
        "\\\\evil",
        "/\t/evil",
        "/\n//evil",
        "javascript:alert(1)",
        "",
        "evil",
        " /x",
        "/x\r\nset-cookie: a",
        "/" + "a" * 3_000,
    )
    for path in bad:
        assert safe_next(path) == "/", path
    assert safe_next("/a/tasks?state=x") == "/a/tasks?state=x"


def test_the_way_back_of_a_review_stays_here(place: Place) -> None:
    """W10: the address that a review page offers for a second thought."""
    import json

    operator, state = signed_in(place, "operator"), place.demo.hall.desk.administration.state
    body = {"from": place.demo.plan.shown.accounts[0], "to": "trader-1", "unit": state.allowance_code(place.demo.plan.year), "quantity": 3}
    for evil in ("//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"):
        content = {"verb": "transfer", "body": body, "tables": {}, "reason": "", "back": evil}
        page = operator.form(f"/{place.demo.hall.system}/propose", content=json.dumps(content), code="")
        links = re.findall(r'href="([^"]*)"', page.text)
        assert page.status_code == 422 and links and not [link for link in links if "evil" in link or link.startswith("javascript:")]


# -- templates


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_hold_nothing_that_runs(file: Path) -> None:
    """W6, W11: no filter that trusts text, no inline script or style, no htmx that is evaluated, no javascript: address."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), "text of people would stand there as it is"
    html = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
    for wrong in (r"\shx-on", r"\bjs:", r"javascript:", r"\son[a-z]+\s*=", r"\sstyle\s*=", r"<style\b", r"hx-trigger=['\"][^'\"]*\["):
        found = re.search(wrong, html, re.IGNORECASE)
        assert not found, f"{file.name}: {found.group(0) if found else ''}"
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", html), f"{file.name}: a script in the page"


def test_every_form_of_a_template_carries_the_token() -> None:
    """W11: a hidden field in each, from one macro or written out."""
    for file in TEMPLATES:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", file.read_text(encoding="utf-8"), re.S):
            assert "hidden(" in form or "_csrf" in form or "caller()" in form, f"{file.name}: {form[:200]}"


def test_python_marks_no_text_as_safe() -> None:
    """W6: Markup is only ever a fixed text whose places are filled by format, which escapes."""
    for file in HERE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for call in re.findall(r"Markup\((?!['\"])[^)]*\)", text):
            pytest.fail(f"{file.name}: {call}")


# -- names that are markup


def test_names_stay_text_on_every_page(walked: Walk) -> None:
    """W6, I8: as everybody, in three languages, as HTML and as drawings: no element comes of a name, no template is worked out."""
    escaped = raw = 0
    languages = set()
    for one in walked.seen:
        if one.kind in ("text/html", "image/svg+xml", "application/xhtml+xml"):
            assert "<img src=x" not in one.text and 'onerror=alert(1)>"' not in one.text, f"{one.actor} {one.path}"
            escaped += "&lt;img src=x" in one.text
            raw += TEMPLATE in one.text
            languages |= {one.path[1:].partition("/")[0]} if "&lt;img src=x" in one.text else set()
    assert escaped > 10 and raw > 10 and {"zh-Hans", "zh-Hant"} <= languages, "hardly any page shows the names"


def test_formulas_are_no_formulas_in_files_and_numbers_are_untouched(walked: Walk) -> None:
    """I6."""
    files = [one for one in walked.seen if one.kind == "text/csv" and one.status == 200]
    defused = numbers = 0
    for one in files:
        for row in csv.reader(io.StringIO(one.text)):
            for cell in row:
                if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
                    numbers += 1
                    continue
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), f"{one.path}: {cell!r}"
                defused += cell == "'" + FORMULA
    assert defused >= 1 and numbers > 500 and len(files) > 5
    assert any(IMAGE in one.text.replace('""', '"') for one in files), "what is harmless in a file stays as it is"


# -- numbers


def test_forty_bad_numbers_in_forms(place: Place) -> None:
    """I2: each is refused beside its field, and nothing is sent."""
    place.settings = replace(place.settings, writes_per_minute=10**6)
    operator, system = signed_in(place, "operator"), place.demo.hall.system
    state, length = place.demo.hall.desk.administration.state, place.demo.hall.sequence
    fields = {
        "from": place.demo.plan.shown.accounts[0],
        "to": "other",
        "other": "trader-1",
        "unit": state.allowance_code(place.demo.plan.year),
        "reason": "x",
    }
    taken = operator.form(f"/{system}/transfers/new", quantity="5", **fields)
    assert taken.status_code == 200, taken.text[:2_000]
    for number in BAD_NUMBERS:
        answer = operator.form(f"/{system}/transfers/new", quantity=number, **fields)
        assert answer.status_code == 422, f"{number!r}: {answer.status_code}"
    assert len(set(BAD_NUMBERS)) >= 40 and place.demo.hall.sequence == length
    assert mine(place)


def test_a_field_stands_in_a_form_once(place: Place) -> None:
    """P6 for forms: the same field twice is no list of passwords, codes or quantities."""
    nobody = Actor(place)
    for name in ("email", "password"):
        fields = {"email": "a@b.example", "password": "one", "next": "/", "_csrf": nobody.csrf} | {name: ["one", "two"]}
        assert nobody.client.post("/login", data=fields).status_code == 422
    assert nobody.client.post("/login", data={"email": "a@b.example", "password": "x", "_csrf": [nobody.csrf, nobody.csrf]}).status_code == 403
