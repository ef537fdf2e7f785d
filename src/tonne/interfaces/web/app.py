"""The application: who asks is found out, whether they may is asked, and only then a page or an endpoint runs."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import re
import secrets
from collections.abc import AsyncIterator
from email.message import Message
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware.gzip import GZipMiddleware

from tonne.interfaces.web import limits, problems, webhooks, words
from tonne.interfaces.web.ask import Answer, Ask, cookie_name
from tonne.interfaces.web.guard import REGISTER, Allow, Visitor, is_token, role_in
from tonne.interfaces.web.kept import Kept
from tonne.interfaces.web.outer import Metrics, Outer, TooLarge, TooSlow
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.problems import NeedLogin, Problem
from tonne.interfaces.web.render import HERE
from tonne.people import PeopleRefused, PeopleUnavailable
from tonne.store.errors import StoreBusy, StoreError

logger = structlog.get_logger("tonne.web")
SAFE = ("GET", "HEAD", "OPTIONS")
ASSET_AGE = "public, max-age=31536000, immutable"
#: Never an absolute path: joined to a folder, it would be the path itself.
ASSET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}){0,3}")
FIELDS_MOST, FILES_MOST = 2_000, 5


# -- who asks


async def ask_of(request: Request) -> Ask:
    """The request with everything a page needs. Raises what stops it before: NeedLogin, Problem."""
    place: Place = request.app.state.place
    hall = place.halls.get(request.path_params.get("system", ""))
    visitor = admit(request)
    language = _language(request, visitor, place)
    seed = visitor.session.id if visitor.session is not None else request.cookies.get(cookie_name(place, "tonne-seed"), "") or secrets.token_hex(16)
    ask = Ask(request, place, visitor, language, hall, seed, theme=request.cookies.get("theme", "auto"))
    if ask.theme not in ("light", "dark", "auto"):
        ask.theme = "auto"
    if visitor.session is not None and _is_elsewheres(request):
        raise Problem(403, "wrong_origin")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in SAFE:
        if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            await _read_form(request, ask)
        if visitor.key is None and (visitor.signed_in or not _is_api(request)):  # a program without a session has nothing that could be abused
            _require_own_form(request, ask)
    return ask


def admit(request: Request) -> Visitor:
    """Who asks, counted, and found to be one who may use the route; asked before a body is read. Raises NeedLogin, Problem, PeopleRefused."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    place: Place = request.app.state.place
    visitor = counted(request, place, place.halls.get(request.path_params.get("system", "")))
    if not visitor.may(request.scope["endpoint"].allow):
        turn_away(request, visitor)
    request.state.visitor = visitor
    return visitor


def counted(request: Request, place: Place, hall: Any) -> Visitor:
    """Who asks, within how much they may ask for. Raises Problem 401 for a key that is none, PeopleRefused `too_many_requests`."""
    try:
        visitor = visitor_of(request, place, hall)
    except Problem:
        limits.require(place, Visitor(address=request.state.address), request)  # whoever guesses at keys asks as well
        raise
    request.state.person = visitor.person
    limits.require(place, visitor, request)
    return visitor


def _is_elsewheres(request: Request) -> bool:
    """Whether another site's page asks, by a browser's own word: it may link to us, and nothing else."""
    if request.headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    return request.method not in SAFE or request.headers.get("sec-fetch-mode") != "navigate"


def visitor_of(request: Request, place: Place, hall: Any, touch: bool = True) -> Visitor:
    """Who asks, by key or session. touch: whether this counts as use of the session. Raises Problem 401 for a key that is none."""
    address = request.state.address
    bearer = request.headers.get("authorization", "")
    if bearer:
        scheme, _, secret = bearer.partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "wrong_key", "send Authorization: Bearer KEY")
        try:
            key = place.people.key(secret.strip(), place.real_now())
        except PeopleRefused as refused:
            raise Problem(401, refused.name, refused.text) from None
        if key is None:
            raise Problem(401, "wrong_key", "this key is not known, revoked or expired")
        return _acting(place, key.person, key.membership, key.scopes, hall, address, key=key, memberships=(key.membership,))
    token = request.cookies.get(cookie_name(place, "tonne"), "")
    try:
        session = place.people.session(token, place.real_now(), touch=touch) if token else None
    except PeopleRefused:
        session = None
    if session is None or not session.is_full:
        return Visitor(address=address)
    acting = session.acting
    if hall is not None and (acting is None or acting.system != hall.system):
        acting = None
    rights = acting.rights if acting is not None else frozenset()
    return _acting(place, session.person, acting, rights, hall, address, session=session, token=token, memberships=session.memberships)


def _acting(place: Place, person: Any, membership: Any, rights: Any, hall: Any, address: str, **more: Any) -> Visitor:
    if membership is None:
        return Visitor(person.id, person.name, role="person", address=address, **more)
    home = place.halls.get(membership.system)
    if home is None or (hall is not None and hall is not home):
        return Visitor(person.id, person.name, role="person", address=address, **more)
    from tonne.administration.permissions import role_of

    role = role_in(membership.participant, role_of(home.desk.administration.state, membership.participant), rights)
    return Visitor(person.id, person.name, membership.system, membership.participant, frozenset(rights), role, address=address, **more)


def turn_away(request: Request, visitor: Visitor) -> None:
    """Raises what somebody is told who may not use a route: NeedLogin, Problem."""
    if not visitor.signed_in:
        if request.scope["path"].startswith("/api/"):
            raise Problem(401, "not_permitted", "sign in, or send Authorization: Bearer KEY")
        raise NeedLogin
    if request.scope["path"].startswith("/api/"):
        raise Problem(403, "not_permitted", f"as {visitor.role} you may not use this")
    raise problems.not_found()


def _language(request: Request, visitor: Visitor, place: Place) -> str:
    named = request.state.language
    if named:
        return str(named)
    if visitor.session is not None:
        return str(visitor.session.person.language) if visitor.session.person.language in words.LANGUAGES else words.DEFAULT
    accepted = request.headers.get("accept-language", "")
    return words.best(accepted) if accepted else place.settings.language


#: What endpoints take as their first argument.
Asked = Annotated[Ask, Depends(ask_of)]


# -- forms


async def _read_form(request: Request, ask: Ask) -> None:
    head = Message()
    head["content-type"] = request.headers["content-type"]
    if head.get_content_charset("utf-8") not in ("utf-8", "us-ascii"):
        raise Problem(415, "malformed", "a form is UTF-8")
    try:
        given = await request.form(max_files=FILES_MOST, max_fields=FIELDS_MOST)
    except (MultiPartException, HTTPException) as error:
        raise Problem(400, "malformed", str(getattr(error, "message", "") or getattr(error, "detail", "") or "the form cannot be read")) from None
    form: dict[str, Any] = {}
    files: dict[str, Any] = {}
    for name, value in given.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read()
            if value.filename:
                files[name] = (value.filename, data)
            continue
        if name in form:
            form[name] = [*form[name], value] if isinstance(form[name], list) else [form[name], value]
        else:
            form[name] = value
    await given.close()
    ask.form, ask.files = form, files


def _require_own_form(request: Request, ask: Ask) -> None:
    """Only our own pages change anything: by origin, and by the token that they carry."""
    place = ask.place
    origin = request.headers.get("origin")
    if origin is not None and not _is_ours(request, place, origin):
        raise Problem(403, "wrong_origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "wrong_origin")
    token = str(ask.form.get("_csrf", "") or request.headers.get("x-csrf-token", ""))
    if not is_token(place.settings.secrets, ask.seed, token):
        raise Problem(403, "form_expired")


def _is_ours(request: Request, place: Place, origin: str) -> bool:
    if place.settings.public_url:
        return origin == place.settings.public_url.rstrip("/")
    return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


# -- the application


def create_app(place: Place) -> Any:
    """The ASGI application of a server. Raises RuntimeError for a route that does not say who may use it."""
    from tonne.interfaces.web import api, pages
    from tonne.interfaces.web.api.quick import Quick

    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        place.hub.bind(asyncio.get_running_loop())
        place.started = True
        keeper = asyncio.create_task(_keep(place))
        calls = asyncio.create_task(webhooks.run(place)) if webhooks.is_on(place.settings) else None
        yield
        place.stopping = True
        place.hub.end()
        for task in (keeper, calls):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    app = FastAPI(title="tonne", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, **api.DESCRIPTION)
    app.state.place, app.state.admit = place, admit
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    place.metrics = metrics
    for router in (*api.routers(), *pages.routers()):
        app.include_router(router)
    app.add_api_route("/assets/{name:path}", _asset, methods=["GET", "HEAD"], include_in_schema=False)
    for kind, handler in (
        (Answer, _answered),
        (Problem, _problem),
        (NeedLogin, _login),
        (PeopleRefused, _people),
        (PeopleUnavailable, _unavailable),
        (StoreError, _store),
        (RequestValidationError, _unread),
        (HTTPException, _http),
        (TooLarge, _too_large),
        (TooSlow, _too_slow),
        (Exception, _fault),
    ):
        app.add_exception_handler(kind, handler)
    _require_guarded(app)
    return Outer(Kept(Faults(Quick(app, place)), place, cookie_name(place, "tonne")), place, metrics)


class Faults:
    """The last net: whatever a page raises that nobody expected is answered with a reference number, and logged with its trace."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        begun = False

        async def watched(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            # Starlette has answered and logged through _fault, and raises once more for its server; nobody is left to hear of it.
            if begun or scope["type"] != "http":
                return
            reference = str(scope["state"]["reference"])
            logger.exception("no page could be drawn about a fault", reference=reference)
            text = PlainTextResponse(f"Something went wrong on our side. Reference: {reference}\n", 500, {"cache-control": "no-store"})
            await text(scope, receive, send)


def _require_guarded(app: FastAPI) -> None:
    for route in app.routes:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is not None and endpoint is not _asset and not hasattr(endpoint, "allow"):
            raise RuntimeError(f"{getattr(route, 'path', route)} does not say who may use it")


async def _keep(place: Place) -> None:
    """Small housekeeping beside the requests, every second: scheduled transfers, audit lines that wait, messages to be sent."""
    while True:
        await asyncio.sleep(1.0)
        try:
            await asyncio.to_thread(place.keep)
        except Exception:
            logger.exception("housekeeping failed")


async def _asset(name: str, request: Request) -> Response:
    """A built file: its name holds its hash, so it may be kept for ever."""
    folder = HERE / "assets"
    file = folder / name
    if not ASSET_NAME.fullmatch(name) or ".." in name or not file.is_file() or name.endswith((".gz", ".br")):
        return Response("no such file", 404, media_type="text/plain")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"cache-control": ASSET_AGE, "vary": "Accept-Encoding"}
    packed = folder / f"{name}.gz"
    if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
        return Response(packed.read_bytes(), media_type=kind, headers={**headers, "content-encoding": "gzip"})
    return Response(file.read_bytes(), media_type=kind, headers=headers)


# -- what goes wrong


def _is_api(request: Request) -> bool:
    return str(request.scope["path"]).startswith("/api/")


def _quiet_ask(request: Request) -> Ask:
    """Enough of a request to draw a page about what went wrong with it."""
    place: Place = request.app.state.place
    hall = place.halls.get(request.scope.get("path_params", {}).get("system", ""))
    try:
        visitor = visitor_of(request, place, hall)
    except (Problem, PeopleUnavailable):
        visitor = Visitor(address=request.state.address)
    seed = visitor.session.id if visitor.session is not None else request.cookies.get(cookie_name(place, "tonne-seed"), "") or secrets.token_hex(16)
    return Ask(request, place, visitor, _language(request, visitor, place), hall, seed, theme=request.cookies.get("theme", "auto"))


async def _answered(request: Request, answer: Any) -> Response:
    response: Response = answer.response
    return response


async def _problem(request: Request, problem: Any) -> Response:
    headers = {"cache-control": "no-store"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(max(1, int(problem.retry_after + 0.999)))
    ask = _quiet_ask(request)
    reference = str(request.state.reference)
    if problem.status == 401 and _is_api(request):
        headers["www-authenticate"] = "Bearer"
    if _is_api(request) or ("application/json" in request.headers.get("accept", "") and "text/html" not in request.headers.get("accept", "")):
        return JSONResponse(problems.as_json(problem, reference, ask._), problem.status, headers, media_type="application/problem+json")
    response = ask.page(
        "error.html",
        problem.status,
        status=problem.status,
        name=problem.name,
        heading=problems.title(problem.name, ask._),
        problem=problem.detail if problem.status != 404 else "",
        advice=problems.advice(problem.name, ask._),
        ideas=[(ask.url(f"/{one}"), one) for one in problem.near],
        retry_after=int(problem.retry_after or 0),
    )
    response.headers.update(headers)
    return response


async def _login(request: Request, _problem_: Any) -> Response:
    ask = _quiet_ask(request)
    query = request.url.query
    return RedirectResponse(ask.url("/login", next=request.state.asked_path + (f"?{query}" if query and request.method == "GET" else "")), 303)


async def _people(request: Request, refused: Any) -> Response:
    status = (
        429 if refused.retry_after is not None else {"unknown": 404, "not_permitted": 403, "same_person": 403, "taken": 409}.get(refused.name, 422)
    )
    fields = {refused.field: refused.text} if refused.field else {}
    return await _problem(request, Problem(status, refused.name, refused.text, fields=fields, retry_after=refused.retry_after))


async def _unavailable(request: Request, error: Any) -> Response:
    logger.error("people unavailable", reference=request.state.reference, error=str(error))
    return await _problem(request, Problem(503, "store_stopped", retry_after=5))


async def _store(request: Request, error: Any) -> Response:
    if isinstance(error, StoreBusy):
        return await _problem(request, Problem(503, "store_busy", retry_after=1))
    logger.error("store stopped", reference=request.state.reference, error=str(error))
    return await _problem(request, Problem(503, "store_stopped", retry_after=30))


async def _unread(request: Request, error: Any) -> Response:
    fields = {".".join(str(part) for part in one["loc"] if part not in ("body",)): str(one["msg"]) for one in error.errors()}
    detail = "; ".join(f"{name}: {text}" for name, text in fields.items())
    return await _problem(request, Problem(422, "malformed", detail[:2_000], fields=fields))


async def _http(request: Request, error: Any) -> Response:
    place: Place = request.app.state.place
    try:
        with contextlib.suppress(Problem, PeopleUnavailable):  # the answer is the same for a wrong key, and without the logins
            counted(request, place, None)  # looking for addresses that are not there counts like any other request
    except PeopleRefused as refused:
        return await _people(request, refused)
    name = {404: "not_found", 405: "method_not_allowed", 400: "malformed"}.get(error.status_code, "malformed")
    response = await _problem(request, Problem(error.status_code, name, "" if error.status_code in (404, 405) else str(error.detail)))
    for header, value in (error.headers or {}).items():
        response.headers[header] = value
    return response


async def _too_large(request: Request, error: Any) -> Response:
    return _hung_up(await _problem(request, Problem(413, "too_large", f"at most {error} bytes")))


async def _too_slow(request: Request, _error: Any) -> Response:
    return _hung_up(await _problem(request, Problem(408, "too_slow")))


def _hung_up(response: Response) -> Response:
    """The rest of what is being sent is not waited for."""
    response.headers["connection"] = "close"
    return response


async def _fault(request: Request, error: Any) -> Response:
    logger.error("fault", reference=request.state.reference, exc_info=error)
    return await _problem(request, Problem(500, "fault"))


def allowed() -> dict[tuple[str, str], Allow]:
    """Every route with who may use it, for the tests that walk them all."""
    return dict(REGISTER.allowed)
