"""A real browser does what people come for, from the login to done: each persona's jobs, in three languages, by mouse and once by keyboard alone.

Skipped where there is no Chromium. Every page is watched: no policy is broken, nothing is said on the console, no other host is asked.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tonne.interfaces.web.words import LANGUAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


class Person:
    """Somebody at a browser: counts clicks, and remembers everything that should not have happened."""

    def __init__(self, chromium: Any, served: Any, persona: str, language: str = "en") -> None:
        self.served, self.language = served, language
        self.context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale=language)
        self.context.add_init_script("addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))")
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.clicks, self.wrong = 0, []
        self.page.on("console", lambda said: self.wrong.append(f"{self.page.url}: {said.text}") if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))
        self.page.on("request", lambda asked: None if asked.url.startswith((served.url, "data:")) else self.wrong.append(f"asked {asked.url}"))
        self.go("/login")
        self.click(f'form:has(input[value="{persona}"]) button')

    @property
    def system(self) -> str:
        return str(self.served.place.demo.hall.system)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.served.url}/{self.language}{path}")

    def click(self, what: str) -> None:
        """A click that loads a page or confirms something."""
        self.clicks += 1
        self.page.locator(what).first.click()
        self.page.wait_for_load_state()

    def verb(self, text: str) -> None:
        """The button or link that says so."""
        self.clicks += 1
        self.page.locator("main").get_by_role("button", name=text).or_(self.page.locator("main").get_by_role("link", name=text)).first.click()
        self.page.wait_for_load_state()

    def code(self) -> None:
        """Type the code that the demonstration shows beside the field."""
        hint = self.page.locator(".field-hint").filter(has_text=re.compile(r"\b\d{6}\b")).first.text_content() or ""
        self.page.fill("#field-code", re.findall(r"\d{6}", hint)[-1])

    def text(self) -> str:
        return str(self.page.locator("main").inner_text())

    def done(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)
        self.context.close()


@pytest.fixture
def come(chromium: Any, served: Any) -> Iterator[Callable[..., Person]]:
    came: list[Person] = []

    def come(persona: str, language: str = "en") -> Person:
        came.append(Person(chromium, served, persona, language))
        return came[-1]

    yield come
    for person in came:
        person.done()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_comes_home(come: Callable[..., Person], served: Any, language: str) -> None:
    """The first page after the login answers the question that each person came with."""
    for login in served.place.demo.logins:
        person = come(login.id, language)
        assert person.page.url.endswith(f"/{person.system}/home"), f"{login.id}: {person.page.url}"
        assert person.page.locator("h1").inner_text()
        assert person.page.locator("html").get_attribute("lang") == language
