"""Somebody at a real browser: counts clicks and steps, presses keys, and remembers everything that should not have happened.

What a person does is said by structure (ids, names, addresses of forms), never by words: the same job runs in every language.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 60_000
WIDE, NARROW, NARROWEST = (1440, 900), (390, 844), (320, 700)
WATCH = "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
#: What a page sends by itself is no step of a person's: drafts, signs of life.
BY_ITSELF = ("/draft", "/session/extend")
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
AXE = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations']})"
#: Whether a click loads a page: a link elsewhere, or the button of a form that no script sends.
LOADS = """one => one.matches("a[href]:not([download], [href^='#'])")
  || (one.type === "submit" && !!one.form && (!document.documentElement.dataset.script || !one.form.matches("[data-ticket], [data-quick]")))"""
#: The element that has the focus: its selector in short, whether the focus can be seen, whether it lies in the window.
FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const label = here.matches("input[type=radio], input[type=checkbox]") ? here.nextElementSibling : null;
  const ringed = (one) => {
    const look = one && getComputedStyle(one);
    return !!look && ((look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1) || look.boxShadow !== "none");
  };
  const at = here.getBoundingClientRect();
  return {
    what: [here.tagName, here.id, here.className, here.getAttribute("href") || here.name || here.textContent.trim().slice(0, 30)].join(" "),
    seen: ringed(here) || ringed(label),
    inside: at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth,
  };
}"""


class Person:
    """persona: one of the demonstration's, or `` for somebody signed out. clicks: what was clicked. steps: page loads and confirmations."""

    def __init__(self, chromium: Any, served: Any, persona: str = "", language: str = "en", **options: Any) -> None:
        self.served, self.language, self.persona = served, language, persona
        size = options.pop("size", (1280, 900))
        self.context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, locale=language, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.clicks, self.steps, self.wrong = 0, 0, list[str]()
        self.forgiven: tuple[str, ...] = ()
        self.scripts = options.get("java_script_enabled", True)
        self.page = self.context.new_page()
        self._watch()
        if persona:
            self.go("/login")
            self.click(f'form:has(input[value="{persona}"]) button')
        self.begin()

    def _watch(self) -> None:
        if self.scripts:
            self.context.add_init_script(WATCH)
        self.page.on("console", lambda said: self._note(f"{said.text} {said.location['url']}") if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)

    def _note(self, text: str) -> None:
        self.wrong.append(f"{self.page.url}: {text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"{self.served.url}/", "data:")):
            self._note(f"asked another host: {request.url}")
        load = request.is_navigation_request() and request.frame == self.page.main_frame and request.redirected_from is None
        sent = request.method == "POST" and not request.is_navigation_request() and not urlsplit(request.url).path.endswith(BY_ITSELF)
        self.steps += load or sent

    def _failed(self, request: Any) -> None:
        """A page that is left takes its open requests along, and a download is no page: both are called aborted."""
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.failure}: {request.url}")

    # -- going about

    @property
    def system(self) -> str:
        return str(self.served.place.demo.hall.system)

    @property
    def path(self) -> str:
        """Of this page, without its language."""
        return urlsplit(self.page.url).path.removeprefix(f"/{self.language}")

    def here(self, path: str = "") -> str:
        return f"/{self.system}{path}"

    def go(self, path: str) -> Any:
        return self.page.goto(f"{self.served.url}/{self.language}{path}")

    def home(self) -> None:
        self.go(self.here("/home"))
        self.begin()

    def begin(self) -> None:
        """Count from here."""
        self.clicks = self.steps = 0

    def click(self, what: str) -> None:
        """A click, and what it loads."""
        self.clicks += 1
        one = self.page.locator(what).first
        if not one.evaluate(LOADS):
            one.click()
            return
        with self.page.expect_navigation():
            one.click()

    def link(self, end: str, within: str = "main") -> None:
        """The first link that can be seen whose address ends so."""
        self.click(f'{within} a[href$="{end}"]:visible')

    def send(self, action: str, **fields: str | bool) -> None:
        """Fill in and send the form whose address ends so; code=True takes the code that the demonstration shows in it."""
        form = f'main form[action$="{action}"]'
        for name, value in fields.items():
            if name == "code":
                self.page.locator(f'{form} input[name="code"]').fill(self.hint(form))
            elif isinstance(value, bool):
                self.page.locator(f'{form} input[name="{name}"]').set_checked(value)
            elif self.page.locator(f'{form} select[name="{name}"]').count():
                self.page.locator(f'{form} select[name="{name}"]').select_option(value)
            else:
                self.page.locator(f'{form} [name="{name}"]').first.fill(value)
        once = f"{form} button[data-once]"
        self.click(once if self.page.locator(once).count() else f"{form} button[type=submit], {form} button:not([type])")

    def hint(self, form: str) -> str:
        """The code that stands beside a form's field."""
        shown = self.page.locator(f"{form} .field-hint").filter(has_text=CODE).last.text_content() or ""
        return str(CODE.findall(shown)[-1])

    def value(self, name: str) -> str:
        return str(self.page.locator(f'main [name="{name}"]').first.input_value())

    def text(self, what: str = "main") -> str:
        return str(self.page.locator(what).first.inner_text())

    def figures(self) -> list[str]:
        """The figures of the page's cards, without grouping."""
        return [re.sub(r"\s", "", text) for text in self.page.locator("main .figure-value").all_inner_texts()]

    # -- by keys

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, what: str, most: int = 150) -> None:
        """Tab until the focus is on one of these; the focus is seen at every stop on the way. Fails when it never comes there."""
        for _ in range(most):
            self.press("Tab")
            self.seen()
            if self.page.evaluate("what => !!document.activeElement?.matches(what)", what):
                return
        raise AssertionError(f"{self.page.url}: no key leads to {what}")

    def seen(self) -> None:
        """The focus can be seen, as soon as the page has scrolled to it."""
        for _ in range(20):
            at = self.page.evaluate(FOCUS)
            if at is None or (at["seen"] and at["inside"]):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.page.url}: the focus on {at} cannot be seen")

    def until(self, what: str, told: Any = None) -> None:
        """Wait until a function of the page says yes. The driver's own way needs eval, which our policy forbids."""
        for _ in range(PATIENCE_MS // 50):
            if self.page.evaluate(what, told):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.page.url}: never {what}")

    def follow(self, key: str = "Enter") -> None:
        """A key that loads a page."""
        with self.page.expect_navigation():
            self.press(key)
        self.page.wait_for_load_state()

    # -- what must be so of every page

    def readable(self) -> list[str]:
        """What axe finds that keeps somebody out: (rule, where)."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe_source())
        found = self.page.evaluate(AXE)["violations"]
        bad = [one for one in found if one["impact"] in ("serious", "critical")]
        return [f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']][:4]}" for one in bad]

    def done(self) -> None:
        self.context.close()
        wrong = [one for one in self.wrong if not any(text in one for text in self.forgiven)]
        assert not wrong, "\n".join(wrong)


def axe_source() -> str:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    return next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
