"""Pages that are kept for everybody: the same while nothing happens, another after the next entry, and never somebody's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tonne.administration.commands import Command
from tonne.interfaces.web.place import Place


def test_the_next_entry_of_the_log_makes_the_page_anew(place: Place, visit: Callable[..., Any]) -> None:
    hall, browser = place.demo.hall, visit()
    path = f"/{hall.system}"

    def members() -> int:
        found = re.search(r"(\d+) participants", browser.get(path).text)
        assert found is not None
        return int(found.group(1))

    before = members()
    assert members() == before
    body = {"participant": "a-new-member", "name": "A new member", "role": "operator", "country": ""}
    assert hall.send(Command("new", "register_participant", "administrator", hall.today, body)).accepted
    assert members() == before + 1


def test_nobody_is_given_what_was_drawn_for_another(place: Place, visit: Callable[..., Any]) -> None:
    system = place.demo.hall.system
    operator, stranger = visit("operator"), visit()
    mine = operator.get(f"/{system}/participants")
    public = stranger.get(f"/{system}/participants")
    assert "Ana Costa" in mine.text and "Ana Costa" not in public.text
    assert "Ana Costa" in operator.get(f"/{system}/participants").text
    assert mine.headers["cache-control"] == "no-store"


def test_pages_with_a_form_have_a_token_of_their_own(place: Place, visit: Callable[..., Any]) -> None:
    one, other = visit(), visit()
    first, second = one.get("/login"), other.get("/login")
    tokens = {browser.form(page, "/login")["_csrf"] for browser, page in ((one, first), (other, second), (one, one.get("/login")))}
    assert len(tokens) == 3
    assert one.cookies["tonne-seed"] != other.cookies["tonne-seed"]


def test_languages_and_looks_are_kept_apart(place: Place, visit: Callable[..., Any]) -> None:
    system = place.demo.hall.system
    browser = visit()
    assert 'lang="en"' in browser.get(f"/{system}").text
    assert 'lang="zh-Hans"' in browser.get(f"/zh-Hans/{system}").text
    assert 'lang="zh-Hant"' in browser.get(f"/{system}", headers={"accept-language": "zh-TW"}).text
    browser.cookies.set("theme", "dark")
    assert 'data-bs-theme="dark"' in browser.get(f"/{system}").text
