"""Checklist A12: OpenID Connect, against a provider of the test's own with real keys."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cast import Clock, House, User, kinds, refused
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from tonne.people import COMMAND, People
from tonne.people.oidc import Provider
from tonne.people.who import Login

HERE = "192.0.2.1"
PROVIDER = Provider(
    "https://id.example", "tonne-client", "shared", "https://id.example/authorize", "https://id.example/token", "https://id.example/keys"
)
BACK = "https://market.example/login/back"


class Idp:
    """A provider that answers as it is told to."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.claims: dict[str, Any] = {}
        self.header = {"alg": "RS256", "kid": "one"}
        self.signer: Any = self.key
        self.subject = "subject-1"
        self.form: Mapping[str, str] = {}
        self.challenge = self.nonce = ""

    def visit(self, address: str) -> str:
        """What the provider reads in the address the browser comes with; answers the state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code" and query["code_challenge_method"] == "S256" and query["redirect_uri"] == BACK
        self.challenge, self.nonce = query["code_challenge"], query["nonce"]
        return query["state"]

    def fetch(self, address: str, form: Mapping[str, str] | None) -> Mapping[str, Any]:
        if address == PROVIDER.jwks_uri:
            return KeySet([self.key]).as_dict(private=False)
        assert address == PROVIDER.token_endpoint and form is not None
        self.form = form
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert verifier == self.challenge
        moment = int(self.clock.now.timestamp())
        claims = {"iss": "https://id.example", "aud": "tonne-client", "sub": self.subject, "nonce": self.nonce, "iat": moment, "exp": moment + 300}
        return {"id_token": jwt.encode(self.header, claims | self.claims, self.signer, algorithms=[self.header["alg"]])}


@pytest.fixture
def idp(clock: Clock) -> Idp:
    return Idp(clock)


def go(people: People, idp: Idp, clock: Clock, *, bind: User | None = None, browser: str = "b", back_in: str = "b", issuer: str = "") -> Login | None:
    address = people.identity_begin(PROVIDER, redirect=BACK, browser=browser, bind_to=bind.session if bind else None, address=HERE, now=clock.now)
    state = idp.visit(address)
    return people.identity_finish(PROVIDER, state=state, code="c", browser=back_in, fetch=idp.fetch, issuer=issuer, address=HERE, now=clock.now)


def test_A12_a_bound_identity_stands_for_the_password_and_the_factor_is_still_asked(house: House, user: User, idp: Idp) -> None:
    with refused("identity_unknown"):
        go(house.people, idp, house.clock)
    assert go(house.people, idp, house.clock, bind=user) is None
    assert house.people.identities_of(user.id) == ("https://id.example",) and "identity_bound" in kinds(house.people, user.id)
    login = go(house.people, idp, house.clock)
    assert login is not None and login.session.person.id == user.id and login.session.stage == "factor"
    house.people.unbind_identity(user.id, "https://id.example", by=user.who, now=house.clock.now)
    with refused("identity_unknown"):
        go(house.people, idp, house.clock)


def test_A12_a_subject_belongs_to_one_person(house: House, user: User, idp: Idp) -> None:
    go(house.people, idp, house.clock, bind=user)
    with refused("identity_taken"):
        go(house.people, idp, house.clock, bind=house.user())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"}, {"aud": ["tonne-client", "another"]}, {"aud": ["tonne-client"], "azp": "another"}, {"aud": None},
        {"iss": "https://evil.example"}, {"iss": "https://id.example/"}, {"nonce": "other"}, {"nonce": None}, {"exp": 1}, {"iat": 1}, {"sub": ""},
        {"sub": "x" * 300}, {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_A12_tokens_of_another_client_issuer_request_or_time_are_refused(house: House, user: User, idp: Idp, claims: dict[str, Any]) -> None:
    go(house.people, idp, house.clock, bind=user)
    idp.claims = claims
    with refused("identity_refused"):
        go(house.people, idp, house.clock)


def test_A12_only_the_providers_public_key_signs(house: House, user: User, idp: Idp) -> None:
    go(house.people, idp, house.clock, bind=user)
    idp.signer = RSAKey.generate_key(2048, {"kid": "one"})
    with refused("identity_refused"):
        go(house.people, idp, house.clock)
    idp.signer, idp.header = OctKey.import_key(PROVIDER.client_secret * 8), {"alg": "HS256", "kid": "one"}
    with refused("identity_refused"):
        go(house.people, idp, house.clock)


def test_A12_a_state_works_once_in_its_browser_for_ten_minutes(house: House, user: User, idp: Idp) -> None:
    go(house.people, idp, house.clock, bind=user)
    people, clock = house.people, house.clock
    state = idp.visit(people.identity_begin(PROVIDER, redirect=BACK, browser="b", address=HERE, now=clock.now))

    def finish(state: str, browser: str = "b", issuer: str = "") -> Login | None:
        return people.identity_finish(PROVIDER, state=state, code="c", browser=browser, fetch=idp.fetch, issuer=issuer, address=HERE, now=clock.now)

    assert finish(state)
    with refused("link_used"):
        finish(state)
    with refused("link_unknown"):
        finish("made-up")
    with refused("identity_refused"):
        go(people, idp, clock, back_in="another browser")
    with refused("identity_refused"):
        go(people, idp, clock, issuer="https://evil.example")
    state = idp.visit(people.identity_begin(PROVIDER, redirect=BACK, browser="b", address=HERE, now=clock.now))
    clock.pass_(minutes=10)
    with refused("expired"):
        finish(state)


def test_A12_a_suspended_person_does_not_enter_this_way(house: House, user: User, idp: Idp) -> None:
    go(house.people, idp, house.clock, bind=user)
    house.people.suspend_person(user.id, by=COMMAND, now=house.clock.now)
    with refused("identity_unknown"):
        go(house.people, idp, house.clock)


def test_A12_a_provider_is_reached_over_tls_only() -> None:
    with pytest.raises(ValueError, match="https"):
        Provider("http://id.example", "c", "s", "https://x", "https://x", "https://x")
