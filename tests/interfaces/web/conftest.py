"""A demonstration's market, built once for a run of tests and copied for each that asks; visitors signed in as one of its persons.

`place`    a place on a copy of the market, with its application; bots do not run
`visit`    visit("operator") -> a Browser: an httpx client in this process that keeps cookies and fills in what our own forms carry
`served`   the same place behind a real server on loopback: served.url
"""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tonne.interfaces.web import demo
from tonne.interfaces.web.app import create_app
from tonne.interfaces.web.outer import log_to
from tonne.interfaces.web.place import Place

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.S)
ACTION = re.compile(r'<form\b[^>]*\baction="([^"]*)"')
HOST = "http://testserver"
#: A password costs nothing here; what it costs elsewhere is tested in tests/people.
HASHING = {"argon2_time": 1, "argon2_memory_kib": 1_024}


@pytest.fixture(scope="session", autouse=True)
def _quiet_log() -> None:
    """Lines as a server writes them, to nowhere: the default draws every trace with all its variables, for seconds."""
    log_to(io.StringIO(), "json")


@pytest.fixture(scope="session")
def built_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demonstration, built and closed."""
    folder = tmp_path_factory.mktemp("demo")
    place, _logins = demo.prepared(folder, port=0, hashing=HASHING)
    place.close()
    return folder


@pytest.fixture
def market_folder(built_market: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    folder = tmp_path / "market"
    shutil.copytree(built_market, folder)
    return folder


@pytest.fixture(scope="module")
def shared_place(built_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One place for all tests of a file that change nothing which others look at."""
    folder = tmp_path_factory.mktemp("shared") / "market"
    shutil.copytree(built_market, folder)
    place, _logins = demo.prepared(folder, port=0, hashing=HASHING)
    place.app = create_app(place)  # type: ignore[attr-defined]
    yield place
    place.close()


@pytest.fixture
def place(market_folder: Path) -> Iterator[Place]:
    """A place of its own."""
    made, _logins = demo.prepared(market_folder, port=0, hashing=HASHING)
    made.app = create_app(made)  # type: ignore[attr-defined]
    made.started = True
    yield made
    made.close()


class Browser(httpx.Client):
    """A visitor without scripts: follows redirects, keeps cookies, sends forms with the hidden fields that the page gave."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(
            transport=InProcess(app),
            base_url=HOST,
            follow_redirects=True,
            timeout=60,
            headers={"accept": "text/html", "accept-encoding": "identity"},
            **options,
        )

    def forms(self, page: httpx.Response) -> list[str]:
        return FORM.findall(page.text)

    def form(self, page: httpx.Response, action: str) -> dict[str, str]:
        """Hidden fields of the page's form whose address ends so. Raises LookupError with the addresses there are."""
        for text in self.forms(page):
            found = ACTION.search(text)
            if found and unescape(found.group(1)).partition("?")[0].endswith(action):
                return {unescape(name): unescape(value) for name, value in HIDDEN.findall(text)}
        raise LookupError(f"{page.url} has no form to {action}; it has {[m.group(1) for t in self.forms(page) if (m := ACTION.search(t))]}")

    def send(self, *args: Any, **kwargs: Any) -> httpx.Response:
        return super().send(*args, **kwargs)

    def post_form(self, page: httpx.Response | str, action: str = "", files: Any = None, **fields: Any) -> httpx.Response:
        """Send the form of a page (or of the page at an address) whose action ends with `action`; of several, the first."""
        shown = self.get(page) if isinstance(page, str) else page
        action = action or str(shown.url.path)
        data = self.form(shown, action) | {name: str(value) for name, value in fields.items()}
        full = next(
            unescape(found.group(1))
            for text in self.forms(shown)
            if (found := ACTION.search(text)) and unescape(found.group(1)).partition("?")[0].endswith(action)
        )
        return self.post(full, data=data, files=files)

    def sign_in(self, persona: str) -> httpx.Response:
        page = self.get("/login")
        hidden = self.form(page, "/demo/sign-in")
        return self.post("/demo/sign-in", data=hidden | {"persona": persona})


class InProcess(httpx.BaseTransport):
    """httpx's own transport to an application is asynchronous; this one runs it in one loop of its own."""

    def __init__(self, app: Any) -> None:
        import asyncio

        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50_000))
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        import asyncio

        async def ask() -> tuple[int, Any, bytes]:
            sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await self._inner.handle_async_request(sent)
            return answer.status_code, answer.headers, await answer.aread()

        status, headers, body = asyncio.run_coroutine_threadsafe(ask(), self._loop).result(120)
        return httpx.Response(status, headers=headers, content=body, request=request)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def visit(place: Place) -> Iterator[Callable[[str], Browser]]:
    """visit("") for somebody signed out, visit("operator") for one of the demonstration's persons."""
    opened: list[Browser] = []

    def come(persona: str = "") -> Browser:
        browser = Browser(place.app)  # type: ignore[attr-defined]
        opened.append(browser)
        if persona:
            answer = browser.sign_in(persona)
            assert browser.cookies.get("tonne"), answer.text[:500]
        return browser

    yield come
    for browser in opened:
        browser.close()


@pytest.fixture(scope="module")
def look(shared_place: Place) -> Iterator[Callable[[str], Browser]]:
    """Like `visit`, on the place that a file's tests share: signed in once for each persona."""
    opened: dict[str, Browser] = {}

    def come(persona: str = "") -> Browser:
        if persona not in opened:
            opened[persona] = Browser(shared_place.app)  # type: ignore[attr-defined]
            if persona:
                opened[persona].sign_in(persona)
        return opened[persona]

    yield come
    for browser in opened.values():
        browser.close()


class Served:
    """A place behind a real server, on a free port of loopback; ends by itself."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))
        self._door.listen(1024)
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(create_app(place), log_config=None, access_log=False, timeout_graceful_shutdown=3, lifespan="on")
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._door]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert time.monotonic() < deadline and self._thread.is_alive(), "the server did not start"
            time.sleep(0.02)

    def close(self) -> None:
        self.place.stopping = True
        self.place.hub.end()
        self._server.should_exit = True
        self._thread.join(15)


@pytest.fixture
def served(place: Place) -> Iterator[Served]:
    server = Served(place)
    yield server
    server.close()


# -- a real browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a file."""
    from browser_people import ARGUMENTS, CHROMIUM

    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_served(shared_place: Place) -> Iterator[Served]:
    """The place that a file's tests share, behind a real server."""
    server = Served(shared_place)
    yield server
    server.close()


@pytest.fixture
def come(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """come("operator", "zh-Hans") -> a Person at the browser; at the end nothing may have gone wrong for any of them.

    On the server that the file's tests share, or on `stage` where the test has one."""
    from browser_people import Person

    server = request.getfixturevalue("stage" if "stage" in request.fixturenames else "shared_served")
    came: list[Person] = []

    def come(persona: str = "", language: str = "en", **options: Any) -> Person:
        came.append(Person(chromium, server, persona, language, **options))
        return came[-1]

    yield come
    for person in came:
        person.done()
