"""Log-in through an identity provider (OpenID Connect, code flow): the address to go to, and what a good answer is.

State, nonce and PKCE tie the answer to the browser that asked; issuer, audience and signature tie it to the provider. Nothing here speaks HTTP:
the caller hands in `fetch`. Sources: OpenID Connect Core 1.0 section 3.1.3.7, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tonne.people import tokens
from tonne.people.errors import PeopleRefused
from tonne.people.quoting import quoted

#: Signatures with a public key only: `none`, and secrets shared with anybody who has the client's, are not among them.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
DRIFT = timedelta(seconds=60)
AGE_MAX = timedelta(minutes=10)
SUBJECT_LENGTH_MAX = 255
STATE_LIFETIME = timedelta(minutes=10)

#: fetch(address, form): POSTs the form, or GETs where it is None; answers the JSON object. The address comes from the settings, never from a user.
Fetch = Callable[[str, Mapping[str, str] | None], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as the settings name it. issuer is compared letter by letter."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    scopes: tuple[str, ...] = ("openid",)

    def __post_init__(self) -> None:
        for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not str(getattr(self, name)).startswith("https://"):
                raise ValueError(f"{name} of an identity provider is an https address")
        if "openid" not in self.scopes or not self.client_id:
            raise ValueError("an identity provider needs a client_id and the scope openid")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is: a subject means something only together with its issuer."""

    issuer: str
    subject: str


def nonce_of(secret: str, state: str) -> str:
    return tokens.keyed(secret, "oidc nonce", state).hex()


def verifier_of(secret: str, state: str) -> str:
    """The PKCE verifier: derived, so that it is stored nowhere."""
    return tokens.keyed(secret, "oidc verifier", state).hex()


def authorization_url(provider: Provider, redirect: str, state: str, secret: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier_of(secret, state).encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": redirect, "scope": " ".join(provider.scopes), "state": state,
        "nonce": nonce_of(secret, state), "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return provider.authorization_endpoint + joint + "&".join(f"{name}={quoted(value)}" for name, value in query.items())


def exchange(provider: Provider, code: str, redirect: str, state: str, secret: str, fetch: Fetch, now: datetime) -> Identity:
    """Trades the code for an id token and checks it. PeopleRefused identity_refused; what `fetch` raises passes through."""
    answer = fetch(
        provider.token_endpoint,
        {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": provider.client_id,
            "client_secret": provider.client_secret, "code_verifier": verifier_of(secret, state),
        },
    )  # fmt: skip
    id_token = answer.get("id_token")
    if not isinstance(id_token, str):
        raise PeopleRefused("identity_refused")
    return verified(id_token, fetch(provider.jwks_uri, None), provider, nonce_of(secret, state), now)


def verified(id_token: str, jwks: Mapping[str, Any], provider: Provider, nonce: str, now: datetime) -> Identity:
    """The identity in an id token. PeopleRefused identity_refused for another signature, issuer, audience, nonce or time."""
    try:
        claims = jwt.decode(id_token, KeySet.import_key_set(dict(jwks)), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError):
        raise PeopleRefused("identity_refused", "The id token is not signed by the provider") from None
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    subject, shown = claims.get("sub"), claims.get("nonce")
    if claims.get("iss") != provider.issuer:
        raise PeopleRefused("identity_refused", "The id token is of another issuer")
    if not isinstance(audiences, list) or provider.client_id not in audiences:
        raise PeopleRefused("identity_refused", "The id token is for another client")
    if claims.get("azp", provider.client_id) != provider.client_id or (len(audiences) > 1 and "azp" not in claims):
        raise PeopleRefused("identity_refused", "The id token is for another client")
    if not isinstance(shown, str) or not tokens.same(shown.encode(), nonce.encode()):
        raise PeopleRefused("identity_refused", "The id token answers another request")
    moment = int(now.timestamp())
    drift, age = int(DRIFT.total_seconds()), int(AGE_MAX.total_seconds())
    ends, made = claims.get("exp"), claims.get("iat")
    if not isinstance(ends, int) or not isinstance(made, int) or moment >= ends + drift or not -drift <= moment - made <= age + drift:
        raise PeopleRefused("identity_refused", "The id token is too old, or from the future")
    if claims.get("nbf") is not None and (not isinstance(claims["nbf"], int) or claims["nbf"] > moment + drift):
        raise PeopleRefused("identity_refused", "The id token is from the future")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise PeopleRefused("identity_refused", "The id token names nobody")
    return Identity(provider.issuer, subject)
