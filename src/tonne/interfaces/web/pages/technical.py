"""Is it alive, is it ready, how busy is it; what a browser refused to load; how crawlers should behave."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.limits import rates
from tonne.interfaces.web.outer import TooLarge, plain_path
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.settings import LOOPBACK
from tonne.people import People, PeopleUnavailable

router = pages()
logger = structlog.get_logger("tonne.web")
REPORT_MOST, REPORTS = 20_000, 5
#: what is logged -> the names that the two forms of reports have for it
TOLD = {
    "page": ("documentURL", "document-uri"),
    "blocked": ("blockedURL", "blocked-uri"),
    "directive": ("effectiveDirective", "effective-directive", "violated-directive"),
}


@router.get("/healthz", allow=PUBLIC)
def health() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz", allow=PUBLIC)
def ready(ask: Asked) -> JSONResponse:
    """It may be sent requests: started, not stopping, every market's writer at work, the logins' database there."""
    stopped = [hall.system for hall in ask.place.halls.values() if hall.desk.failure is not None]
    good = ask.place.started and not ask.place.stopping and not stopped and _answers(ask.place.people)
    return JSONResponse({"status": "ready" if good else "not ready", "stopped": stopped}, 200 if good else 503)


@router.get("/metrics", allow=PUBLIC)
def metrics(ask: Asked) -> Response:
    """For Prometheus: from this machine and the configured proxies' neighbours only, because counts of commands are nobody else's affair."""
    proxied = "x-forwarded-for" in ask.request.headers or "forwarded" in ask.request.headers
    if proxied or ask.visitor.address not in (*LOOPBACK, "testclient", *ask.place.settings.proxies):
        raise Problem(404, "not_found")
    ask.place.metrics.streams.set(ask.place.hub.listening)
    return Response(generate_latest(ask.place.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def csp(request: Request) -> Response:
    """What the policy stopped in somebody's browser."""
    address = request.state.address
    place = request.app.state.place
    place.limits.take((rates(place.settings)["policy"], address), now=place.real_now())
    data = await request.body()
    if len(data) > REPORT_MOST:
        raise TooLarge(f"{REPORT_MOST:,}")
    for report in stopped(data):
        logger.warning("policy", address=address, **report)
    return Response(status_code=204)


def stopped(data: bytes) -> list[dict[str, str]]:
    """What a browser's report says was stopped, and where: paths without queries and without the links' tokens. Raises Problem 400."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed", "a report is JSON") from None
    bodies = [one.get("body", one.get("csp-report", one)) for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]
    found = []
    for body in bodies[:REPORTS]:
        if not isinstance(body, dict):
            continue
        said = {name: str(next((body[key] for key in keys if key in body), ""))[:200] for name, keys in TOLD.items()}
        found.append(said | {"page": plain_path(urlsplit(said["page"]).path), "blocked": said["blocked"].partition("?")[0].partition("#")[0]})
    return found


csp.allow = PUBLIC  # type: ignore[attr-defined]
router.add_api_route("/csp", csp, methods=["POST"])


@router.get("/robots.txt", allow=PUBLIC)
def robots() -> PlainTextResponse:
    return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /login\n")


def _answers(people: People) -> bool:
    """Whether the logins' database does."""
    try:
        people.find_persons(limit=1)
    except PeopleUnavailable:
        return False
    return True
