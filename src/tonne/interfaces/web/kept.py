"""Whole answers for people who are not signed in: the same page of the same market at the same entry of its log is drawn once, and sent to everybody.

A page that holds something of its reader (the token of a form, a cookie) is not kept. With the next entry of the log, or the next minute, what
was kept is no longer asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple

from fastapi import Request

from tonne.interfaces.web import limits, words
from tonne.interfaces.web.guard import Visitor
from tonne.interfaces.web.place import Place
from tonne.people import PeopleRefused

BYTES_MOST, ONE_MOST = 64_000_000, 2_000_000
NEVER = ("/api/", "/assets/", "/login", "/healthz", "/readyz", "/metrics", "/csp", "/demo/", "/settings", "/invitation/", "/reset", "/email/")


class Whole(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Kept:
    """An ASGI application in front of another."""

    def __init__(self, app: Any, place: Place, session_cookie: str) -> None:
        self.app, self.place, self._cookie = app, place, session_cookie
        self._lock = threading.Lock()
        self._answers: OrderedDict[Any, Whole] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        key = self._key(scope) if scope["type"] == "http" else None
        if key is None:
            await self.app(scope, receive, send)
            return
        found = self._answers.get(key)
        if found is not None and self._is_within_limits(scope):
            await send({"type": "http.response.start", "status": 200, "headers": list(found.headers)})
            await send({"type": "http.response.body", "body": found.body})
            return
        await self.app(scope, receive, _Copy(self, key, scope, send))

    def _is_within_limits(self, scope: Any) -> bool:
        """Counted like any other request; who asks too often is turned away by the application behind."""
        try:
            limits.require(self.place, Visitor(address=scope["state"]["address"]), Request(scope))
        except PeopleRefused:
            return False
        return True

    def _key(self, scope: Any) -> Any:
        """What an answer hangs on; None for what is never kept."""
        path = scope["path"]
        if scope["method"] != "GET" or path.startswith(NEVER):
            return None
        fields = {
            name: value
            for name, value in scope["headers"]
            if name in (b"cookie", b"authorization", b"accept", b"accept-language", b"accept-encoding", b"host")
        }
        if b"authorization" in fields or b"text/event-stream" in fields.get(b"accept", b""):
            return None
        cookies = _cookies(fields.get(b"cookie", b""))
        if self._cookie in cookies:
            return None
        state = scope["state"]
        accepted = fields.get(b"accept-language", b"").decode("latin-1")
        language = state["language"] or (words.best(accepted) if accepted else self.place.settings.language)
        hall = self.place.halls.get(path[1:].partition("/")[0])
        stands = hall.sequence if hall is not None else sum(one.sequence for one in self.place.halls.values())
        minute = int(self.place.clock.now().timestamp()) // 60
        json = b"application/json" in fields.get(b"accept", b"") and b"text/html" not in fields.get(b"accept", b"")
        asked = (state["asked_path"], scope["query_string"], language, cookies.get("theme", ""), b"gzip" in fields.get(b"accept-encoding", b""), json)
        return (*asked, fields.get(b"host", b""), stands, minute)  # a page may name the address that it was asked for at

    def keep(self, key: Any, whole: Whole) -> None:
        if len(whole.body) > ONE_MOST:
            return
        with self._lock:
            if key not in self._answers:
                self._answers[key] = whole
                self._bytes += len(whole.body)
            while self._bytes > BYTES_MOST:
                self._bytes -= len(self._answers.popitem(last=False)[1].body)


class _Copy:
    """Passes an answer on, and keeps it where the page says that it may be kept."""

    def __init__(self, kept: Kept, key: Any, scope: Any, send: Any) -> None:
        self.kept, self.key, self.scope, self._send = kept, key, scope, send
        self._headers: list[tuple[bytes, bytes]] | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            may = message["status"] == 200 and self.scope["state"].get("keep") and not self.scope["state"]["cookies"]
            self._headers = list(message["headers"]) if may else None
        elif self._headers is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.kept.keep(self.key, Whole(self._headers, b"".join(self._parts)))
        await self._send(message)


def _cookies(text: bytes) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text.decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}
