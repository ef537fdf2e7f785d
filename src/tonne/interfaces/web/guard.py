"""Who may what: every route names the roles that may use it, and one place asks.

A route without a name for who may use it does not start the server. What somebody must not know of answers as if it were not there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from tonne.administration.permissions import ADMINISTRATOR

#: All roles that a visitor may have; `public` is everybody, `person` whoever is signed in.
ROLES = ("public", "person", "operator", "trader", "verifier", "administrator", "auditor", "venue", "auctioneer", "bank")
TOKEN_BYTES = 32
RIGHTS = ("read", "initiate", "approve", "trade", "manage", "audit")


class Allow(NamedTuple):
    """roles that may use a route; right that the membership must have besides, `` for none."""

    roles: frozenset[str]
    right: str = ""

    def with_right(self, right: str) -> Allow:
        return Allow(self.roles, right)


def _roles(*names: str) -> Allow:
    return Allow(frozenset(names))


PUBLIC = _roles("public")
PERSON = _roles("person")
OPERATOR = _roles("operator")
TRADER = _roles("trader", "operator")
HOLDER = _roles("operator", "trader", "auctioneer", "venue", "bank", "administrator")
VERIFIER = _roles("verifier")
ADMIN = _roles("administrator")
AUDIT = _roles("auditor", "administrator")
REPORTER = _roles("operator", "verifier", "administrator", "auditor")
BIDDER = _roles("operator", "trader")
ANY_MEMBER = Allow(frozenset(ROLES[2:]))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and for whom. `rights` are those of the membership; a key's are cut down to its scopes.

    role: `public`, `person` (signed in, acting for nobody here), or the participant's role in this system
    """

    person: str = ""
    name: str = ""
    system: str = ""
    participant: str = ""
    rights: frozenset[str] = frozenset()
    role: str = "public"
    session: Any = None
    token: str = field(default="", repr=False)
    key: Any = None
    address: str = ""
    memberships: tuple[Any, ...] = ()

    @property
    def signed_in(self) -> bool:
        return bool(self.person)

    def may(self, allow: Allow) -> bool:
        if "public" in allow.roles:
            return True
        if "person" in allow.roles and self.signed_in and self.key is None:
            return True
        return self.role in allow.roles and (not allow.right or allow.right in self.rights)


def role_in(participant: str, registered: str, rights: Iterable[str]) -> str:
    """The role of a membership: staff of the administrator who may only audit are auditors."""
    held = set(rights)
    if participant == ADMINISTRATOR:
        return "administrator" if held & {"initiate", "approve", "manage"} else "auditor"
    return registered or "person"


# -- routes


@dataclass
class Register:
    """What routes have said about themselves: (method, path) -> who may."""

    allowed: dict[tuple[str, str], Allow] = field(default_factory=dict)


REGISTER = Register()


class Guarded(APIRoute):
    """A route that asks who comes before it reads what they bring: the framework reads a body first, and strangers' bodies are nobody's work."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def guarded(request: Request) -> Response:
            request.app.state.admit(request)
            return await handler(request)

        return guarded


class Routes(APIRouter):
    """Routes that say who may use them: `@pages.get("/status", allow=PUBLIC)`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"route_class": Guarded, **options})

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        allow = getattr(endpoint, "allow", None)
        if allow is None:
            raise TypeError(f"{path} does not say who may use it")
        for method in options.get("methods") or ["GET"]:
            REGISTER.allowed[(method, self.prefix + path)] = allow
        super().add_api_route(path, endpoint, **options)

    def _verb(self, method: str, path: str, allow: Allow, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            endpoint.allow = allow  # type: ignore[attr-defined]
            self.add_api_route(path, endpoint, methods=[method], **options)
            return endpoint

        return register

    def get(self, path: str, *, allow: Allow, **options: Any) -> Any:  # type: ignore[override]
        return self._verb("GET", path, allow, **options)

    def post(self, path: str, *, allow: Allow, **options: Any) -> Any:  # type: ignore[override]
        return self._verb("POST", path, allow, **options)

    def delete(self, path: str, *, allow: Allow, **options: Any) -> Any:  # type: ignore[override]
        return self._verb("DELETE", path, allow, **options)

    def put(self, path: str, *, allow: Allow, **options: Any) -> Any:  # type: ignore[override]
        return self._verb("PUT", path, allow, **options)


def pages() -> Routes:
    """A router of pages: no part of the API's description."""
    return Routes(include_in_schema=False)


# -- forms that only our own pages can send


def form_token(secret: str, seed: str) -> str:
    """The token that forms of one session carry: another text on every page, because pages are compressed and might be guessed at by their length."""
    mask = random.token_bytes(TOKEN_BYTES)
    return (mask + bytes(one ^ other for one, other in zip(mask, _token(secret, seed), strict=True))).hex()


def _token(secret: str, seed: str) -> bytes:
    return hmac.new(secret.encode(), b"form\0" + seed.encode(), hashlib.sha256).digest()


def is_token(secrets: Iterable[str], seed: str, token: str) -> bool:
    try:
        given = bytes.fromhex(token)
    except ValueError:
        return False
    if len(given) != 2 * TOKEN_BYTES:
        return False
    found = bytes(one ^ other for one, other in zip(given[:TOKEN_BYTES], given[TOKEN_BYTES:], strict=True))
    return any(hmac.compare_digest(_token(secret, seed), found) for secret in secrets)


def content_hash(*parts: Any) -> str:
    """What a second factor is bound to: the very content of an action."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
