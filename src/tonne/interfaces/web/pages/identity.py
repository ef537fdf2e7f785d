"""Signing in by one's organisation's account (OpenID Connect): it stands for the password; the second factor is asked for as always."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi.responses import RedirectResponse, Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PERSON, PUBLIC, pages
from tonne.interfaces.web.pages.login import PENDING
from tonne.interfaces.web.problems import Problem, not_found
from tonne.people import PeopleRefused
from tonne.people.oidc import Provider

router = pages()
BROWSER = "tonne-oidc"
TIMEOUT_S, BYTES_MOST = 10, 1_000_000
_lock = threading.Lock()


def fetch(address: str, form: Mapping[str, str] | None) -> Mapping[str, Any]:
    """One answer of the configured provider: a JSON object, bounded, no redirects. Raises Problem 503."""
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = client.get(address) if form is None else client.post(address, data=dict(form))
        answer.raise_for_status()
        found = answer.json() if len(answer.content) <= BYTES_MOST else None
    except (httpx.HTTPError, ValueError) as error:
        raise Problem(503, "store_stopped", f"the identity provider does not answer ({type(error).__name__})", retry_after=30) from None
    if not isinstance(found, dict):
        raise Problem(503, "store_stopped", "the identity provider's answer is none", retry_after=30)
    return found


def provider(ask: Ask) -> Provider:
    """The one of the settings, as it describes itself; asked for once. Raises Problem 404 where none is configured."""
    settings = ask.place.settings
    if not settings.oidc_issuer:
        raise not_found()
    with _lock:
        if ask.place.provider is None:
            told = fetch(f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration", None)
            if told.get("issuer") != settings.oidc_issuer:
                raise Problem(503, "store_stopped", "the identity provider calls itself otherwise than the settings do")
            ask.place.provider = Provider(
                settings.oidc_issuer,
                settings.oidc_client,
                settings.oidc_secret,
                str(told.get("authorization_endpoint", "")),
                str(told.get("token_endpoint", "")),
                str(told.get("jwks_uri", "")),
            )
        found: Provider = ask.place.provider
        return found


def _back(ask: Ask) -> str:
    return f"{ask.place.settings.public_url.rstrip('/')}/login/oidc/back"


def _begin(ask: Ask, bind_to: Any = None) -> Response:
    browser = ask.place.people.new_device()
    ask.set_cookie(BROWSER, browser, 600)
    address = ask.place.people.identity_begin(
        provider(ask), redirect=_back(ask), browser=browser, bind_to=bind_to, address=ask.visitor.address, now=ask.place.real_now()
    )
    return RedirectResponse(address, 303, headers={"cache-control": "no-store"})


@router.get("/login/oidc", allow=PUBLIC)
def begin(ask: Asked) -> Response:
    """To the provider."""
    return _begin(ask)


@router.post("/settings/identity", allow=PERSON)
def bind(ask: Asked) -> Response:
    """From now on this person may enter by the organisation's account too. Asks for a code before."""
    ask.confirm("identity", ask.place.settings.oidc_issuer)
    return _begin(ask, ask.place.people.session(ask.new_token, ask.place.real_now()))


@router.get("/login/oidc/back", allow=PUBLIC)
def back(ask: Asked) -> Response:
    """What the browser brings back, once."""
    query, people = ask.query, ask.place.people
    if "error" in query or "code" not in query or "state" not in query:
        return ask.see("/login")
    device = ask.cookie("tonne-device") or people.new_device()
    try:
        login = people.identity_finish(
            provider(ask),
            state=query["state"],
            code=query["code"],
            browser=ask.cookie(BROWSER),
            fetch=fetch,
            issuer=query.get("iss", ""),
            address=ask.visitor.address,
            agent=ask.request.headers.get("user-agent", "")[:200],
            device=device,
            now=ask.place.real_now(),
        )
    except PeopleRefused as refused:
        raise Problem(403, refused.name, refused.text) from None
    ask.set_cookie(BROWSER, "")
    if login is None:
        return ask.see("/settings")
    ask.set_cookie("tonne-device", device, 365 * 86_400)
    ask.set_cookie(PENDING, login.token, 600)
    return ask.see("/login/enrol" if login.session.stage == "enrol" else "/login/factor")
