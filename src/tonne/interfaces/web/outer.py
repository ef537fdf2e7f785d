"""Round every request: its reference, its language, its size, how long it may take, what the browser may do, one line in the log, the metrics."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tonne.interfaces.web.place import Place
from tonne.interfaces.web.words import LANGUAGES

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; report-uri /csp; report-to csp"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"reporting-endpoints", b'csp="/csp"'),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
#: Whatever does not say otherwise is kept by nobody.
NO_STORE = (b"cache-control", b"no-store")
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
#: A page's address with one of these at its end gives the page's table as a file.
SUFFIXES = ("csv", "json", "parquet")
#: Pages whose address carries the token of a letter.
LINKS = ("invitation", "reset", "email")
#: Addresses that take files.
UPLOADS = ("/upload", "/reports", "/files", "/documents", "/bulk")
logger = structlog.get_logger("tonne.web")


class TooLarge(Exception):
    """More bytes than this address takes."""


class TooSlow(Exception):
    """The request's body did not come in time."""


class Metrics:
    """Counters of one server, for Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("tonne_requests", "Requests answered", ["method", "status"], registry=self.registry)
        self.seconds = Histogram(
            "tonne_request_seconds", "Time to the end of an answer", registry=self.registry, buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
        )
        self.commands = Counter("tonne_commands", "Commands decided", ["kind", "outcome"], registry=self.registry)
        self.streams = Gauge("tonne_streams", "Open event streams", registry=self.registry)
        self.entries = Gauge("tonne_log_entries", "Entries in the log", ["system"], registry=self.registry)


class Outer:
    """The outermost ASGI application."""

    def __init__(self, app: Any, place: Place, metrics: Metrics) -> None:
        self.app, self.place, self.metrics = app, place, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        state = scope.setdefault("state", {})
        state["reference"] = secrets.token_hex(6)
        state["address"] = self._address(scope)
        state["cookies"] = []
        _language(scope, state)
        status = 500
        secure = self.place.settings.behind_tls

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message["headers"]
                names = {name for name, _ in given}
                message["headers"] = [
                    *given,
                    *(header for header in (*HEADERS, NO_STORE) if header[0] not in names),
                    *((HSTS,) if secure else ()),
                    *((b"set-cookie", cookie) for cookie in state["cookies"]),
                    (b"x-reference", state["reference"].encode()),
                ]
            await send(message)

        try:
            await self.app(scope, self._bounded(scope, receive), answer)
        finally:
            took = time.perf_counter() - started
            self.metrics.requests.labels(scope["method"], status).inc()
            if not state.get("stream"):
                self.metrics.seconds.observe(took)
            if not scope["path"].startswith("/assets/"):
                self._log(scope, state, status, took)

    def _log(self, scope: Scope, state: MutableMapping[str, Any], status: int, took: float) -> None:
        """Never the query: it may hold what somebody searched for."""
        logger.info(
            "request",
            method=scope["method"],
            path=plain_path(scope["path"]),
            status=status,
            ms=round(took * 1000, 1),
            reference=state["reference"],
            person=state.get("person", ""),
            address=state["address"],
        )

    def _address(self, scope: Scope) -> str:
        """Of the client; what a proxy says is believed only of configured proxies, and only what it added itself: the last of the last line."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if address in self.place.settings.proxies:
            said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if said:
                return str(said[-1].decode("latin-1")).rsplit(",", 1)[-1].strip()[:64]
        return address

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        settings = self.place.settings
        upload = scope["method"] == "POST" and any(scope["path"].rstrip("/").endswith(part) for part in UPLOADS)
        most = settings.upload_most + 100_000 if upload else settings.body_most
        seen = 0
        ended = False
        deadline = time.monotonic() + settings.read_timeout_s
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > most:
                seen = most + 1

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal seen, ended
            if ended:
                return await receive()
            if seen > most:
                raise TooLarge(f"{most:,}")
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0.01)):  # unlike wait_for, without a task of its own for each piece
                    message = await receive()
            except TimeoutError:
                raise TooSlow from None
            seen += len(message.get("body", b""))
            if seen > most:
                raise TooLarge(f"{most:,}")
            ended = not message.get("more_body", False)
            return message

        return bounded


def _language(scope: Scope, state: MutableMapping[str, Any]) -> None:
    """`/zh-Hans/systems.csv` becomes `/systems`, with its language and the form that is asked for."""
    path = scope["path"]
    state["asked_path"] = path
    head, _, rest = path[1:].partition("/")
    state["language"] = ""
    if head in LANGUAGES:
        state["language"] = head
        path = "/" + rest
    stem, dot, suffix = path.rpartition(".")
    state["suffix"] = ""
    if dot and suffix in SUFFIXES and "/" not in suffix and not path.startswith(("/assets/", "/api/", "/openapi")):
        path, state["suffix"] = stem, suffix
    if path != scope["path"]:
        scope["path"] = path
        scope["raw_path"] = path.encode()


def plain_path(path: str) -> str:
    """A path as it may be kept: without the token of a link, which opens what it is for."""
    head, _, rest = path.lstrip("/").partition("/")
    lead = ""
    if head in LANGUAGES:
        lead, (head, _, rest) = f"/{head}", rest.partition("/")
    return f"{lead}/{head}/..." if head in LINKS and rest else path


def log_to(stream: Any, form: str) -> None:
    """Structured lines: JSON for machines, or text for people. Control characters are escaped by either; traces never show what variables held."""
    traces: Any = structlog.processors.format_exc_info
    if form == "json":
        traces = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            traces,
            structlog.processors.JSONRenderer(serializer=_dumps) if form == "json" else as_text,
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def as_text(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    """One line, and a trace line by line below it, each behind a bar that no message can imitate at a line's beginning."""
    trace = str(event.pop("exception", ""))
    told = structlog.processors.KeyValueRenderer(["event"])(logger, name, event)
    return "\n".join([str(told), *(f"  | {line.encode('unicode_escape').decode()}" for line in trace.splitlines())])


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)
