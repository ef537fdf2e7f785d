"""The shared parts in a real browser under the real policy: nothing stopped, readable for everybody, and the scripts do what they say.

Skipped where there is no Chromium. Pages are the style guide, served by a small server of the test's own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from style_guide import rendered

from tonne.interfaces.web import assets_build, words

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WATCH = (
    "window.stopped = []; document.addEventListener('securitypolicyviolation', e => window.stopped.push(e.violatedDirective + ' ' + e.blockedURI))"
)
AXE_RUN = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 260"><path d="M0 200 L560 60" stroke="#332288" fill="none"/></svg>'
SPEC = {
    "data": {"values": [{"year": "2024", "mt": 91, "what": "verified"}, {"year": "2025", "mt": 80, "what": "verified"}]},
    "mark": {"type": "line", "tooltip": True},
    "encoding": {"x": {"field": "year"}, "y": {"field": "mt", "type": "quantitative"}, "color": {"field": "what"}},
}


class Pages(BaseHTTPRequestHandler):
    """The style guide in /{language}/, the assets, one chart, one stream that tells of a change and then waits."""

    stopping = threading.Event()
    extended = 0

    def log_message(self, *said: object) -> None: ...

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = parse_qs(asked.query)
        if asked.path.startswith("/assets/"):
            self.send(
                {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}.get(asked.path.rpartition(".")[2], "font/woff2"),
                self.file(asked.path),
            )
        elif asked.path == "/chart.svg":
            self.send("image/svg+xml", PICTURE)
        elif asked.path == "/chart.json":
            self.send("application/json", json.dumps(SPEC).encode())
        elif asked.path == "/stream":
            self.stream()
        else:
            soon = {"session_ends": datetime.now(UTC) + timedelta(seconds=int(query["ends"][0]))} if "ends" in query else {}
            text = rendered(asked.path.split("/")[1], query.get("theme", [self.cookie()])[0], now=datetime.now(UTC), **soon)
            self.send("text/html; charset=utf-8", text.encode())

    def do_POST(self) -> None:
        assert self.headers["X-CSRF-Token"] == "t" * 20
        self.send("application/json", json.dumps({"ends": (datetime.now(UTC) + timedelta(minutes=15)).isoformat()}).encode())

    def cookie(self) -> str:
        """The theme that the browser remembers for the server."""
        return (self.headers["Cookie"] or "theme=auto").partition("theme=")[2]

    def file(self, path: str) -> bytes:
        return (assets_build.ASSETS / Path(path).name).read_bytes()

    def send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        for name, value in {"content-type": kind, "content-length": str(len(data)), "content-security-policy": POLICY}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # a browser that goes on does not wait for the rest
            self.wfile.write(data)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b'id: 7\ndata: {"topic": "market"}\n\n')
        self.wfile.flush()
        self.stopping.wait(30)


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Pages.stopping.set()
    server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser, place):  # type: ignore[no-untyped-def]
    """A page that fails its test when anything was stopped, failed or complained of."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=place)
    opened = context.new_page()
    opened.add_init_script(WATCH)
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    stopped = opened.evaluate("window.stopped")
    context.close()
    assert stopped == [] and said == []


@pytest.mark.parametrize("language", list(words.LANGUAGES))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_read_it(page, language: str, theme: str) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"/{language}/home?theme={theme}")
    page.evaluate(next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8"))
    found = page.evaluate(AXE_RUN)["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("width", [320, 390, 900, 1440])
def test_no_page_scrolls_sideways(page, width: int) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": width, "height": 740})
    page.goto("/en/home")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 700:
        page.click(".menu-narrow > summary")
        assert page.is_visible(".menu-narrow .nav-list a") and page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_changed_language_keeps_what_was_typed_but_no_secret(page) -> None:  # type: ignore[no-untyped-def]
    page.goto("/en/sample/home")
    page.fill("#field-quantity", "777")
    page.fill("#field-secret", "correct horse")
    page.fill("#field-code", "123456")
    page.check("#field-public")
    page.click(".top-language > summary")
    page.click(".top-language [data-language=zh-Hans]")
    page.wait_for_url("**/zh-Hans/**")
    assert page.input_value("#field-quantity") == "777" and page.is_checked("#field-public")
    assert page.input_value("#field-secret") == "" and page.input_value("#field-code") == ""
    assert page.evaluate("Object.keys(sessionStorage).filter(name => name.startsWith('typed:'))") == []


def test_light_and_dark_are_remembered_for_the_server_and_the_device(page) -> None:  # type: ignore[no-untyped-def]
    page.goto("/en/home")
    page.click(".top-theme > summary")
    page.click(".top-theme [data-set-theme=dark]")
    page.reload()
    assert page.evaluate("[document.documentElement.dataset.bsTheme, document.cookie]") == ["dark", "theme=dark"]


def test_single_keys_can_be_switched_off(page) -> None:  # type: ignore[no-untyped-def]
    page.goto("/en/home")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "Aciérie de Fosanne"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert not page.evaluate("document.querySelector('#keys').open")


def test_the_end_of_the_session_is_told_and_put_off(page) -> None:  # type: ignore[no-untyped-def]
    page.goto("/en/home?ends=100")
    page.wait_for_selector("#session[open]")
    page.click("[data-extend-session]")
    page.wait_for_selector("#session:not([open])", state="attached")
    assert page.is_hidden("#session-failed")


def test_a_live_chart_is_drawn_without_breaking_the_policy(page) -> None:  # type: ignore[no-untyped-def]
    page.goto("/en/home")
    assert not page.evaluate("'vega' in window"), "charting scripts come only when they are asked for"
    page.click("button[data-chart]")
    page.wait_for_selector(".chart-live svg path")
    assert page.get_attribute(".chart-live", "aria-label").startswith("Line chart")


def test_a_stream_renews_its_part_and_a_lost_one_locks_the_ticket(page) -> None:  # type: ignore[no-untyped-def]
    with page.expect_response(lambda answer: answer.url.endswith("/en/home") and answer.request.resource_type == "fetch"):
        page.goto("/en/home")
    page.wait_for_selector("#say:has-text('The book has changed')", state="attached")  # waiting for a function would need eval
    page.focus("#price")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    assert page.input_value("#price") == "83.51"
    page.keyboard.press("s")
    assert page.get_attribute("[data-ticket]", "data-side") == "sell"
    page.evaluate("document.dispatchEvent(new CustomEvent('tonne:stream', {detail: {state: 'lost'}}))")
    assert page.is_disabled("#price") and page.is_enabled("[data-stop]")


def test_it_reads_and_sends_without_scripts(browser, place) -> None:  # type: ignore[no-untyped-def]
    context = browser.new_context(java_script_enabled=False, base_url=place, viewport={"width": 390, "height": 740})
    page = context.new_page()
    page.goto("/en/home")
    page.click(".menu-narrow > summary")
    assert page.is_visible(".menu-narrow .nav-list a") and page.is_hidden("[data-set-theme]") and page.is_hidden("button[data-chart]")
    assert page.is_visible(".drawing img >> nth=0") and page.is_enabled("form.form button[type=submit]")
    context.close()
