"""Where a log is: a path, sqlite:///path or postgresql://... One place parses addresses, so that one place masks passwords."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

from tonne.store.errors import StoreUnreachable

POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
SECRET_OPTIONS = ("password", "sslpassword", "passfile", "oauth_client_secret", "scram_client_key", "scram_server_key")
KINDS = "Give a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True)
class Address:
    """shown is safe to print; url and secrets are not, and stay out of the repr."""

    kind: Literal["sqlite", "postgresql"]
    shown: str
    path: Path = Path()
    url: str = field(default="", repr=False)
    schema: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def scrubbed(self, text: str) -> str:
        """text without any of this address's secrets: what a driver says may quote what it was given."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def parse_address(where: str | os.PathLike[str]) -> Address:
    """Reads an address. StoreUnreachable if it names no kind of store, or a password that is not percent-encoded."""
    text = os.fspath(where)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _file(text)
    if scheme == "sqlite":
        return _file(unquote(rest.removeprefix("/")))
    if scheme in POSTGRES_SCHEMES:
        return _server(rest)
    raise StoreUnreachable(f"{scheme}:// is not a kind of store", where=masked(text), do=KINDS)


def masked(url: str) -> str:
    """The URL without its password, even if it cannot be parsed: all that stands before the last @ may be a secret."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    userinfo, at, tail = rest.rpartition("@")
    if at:
        user, colon, _ = userinfo.partition(":")
        rest = f"{user}:***@{tail}" if colon else f"{userinfo}@{tail}"
    front, question, query = rest.partition("?")
    if question:
        parts = [part if part.partition("=")[0].lower() not in SECRET_OPTIONS else part.partition("=")[0] + "=***" for part in query.split("&")]
        rest = f"{front}?{'&'.join(parts)}"
    return f"{scheme}://{rest}"


def _file(text: str) -> Address:
    if text in ("", ":memory:", "/:memory:"):
        raise StoreUnreachable("a log cannot live in memory: it must outlast the process", where=text or "sqlite://", do=KINDS)
    # A symbolic link and the file it names are one log, so they need one lock file.
    return Address("sqlite", str(Path(text).absolute()), path=Path(os.path.realpath(text)))


def _server(rest: str) -> Address:
    shown = masked(f"postgresql://{rest}")
    cut = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    authority, tail = rest[:cut], rest[cut:]
    # A raw @, / or ? inside a password makes libpq take a part of the password for the host or the port, and print it.
    if authority.count("@") > 1 or "@" in tail or "#" in tail:
        raise StoreUnreachable(
            "the address cannot be read",
            where=shown,
            do="Percent-encode the user's name and password: %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #",
        )
    front, _, query = tail.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    schema = next((value for key, value in options if key == "schema"), None)
    kept = [(key, value) for key, value in options if key != "schema"]
    url = f"postgresql://{authority}{front}" + ("?" + urlencode(kept, quote_via=quote) if kept else "")
    return Address("postgresql", shown, url=url, schema=schema, secrets=_secrets(authority, options))


def _secrets(authority: str, options: list[tuple[str, str]]) -> tuple[str, ...]:
    password = authority.rpartition("@")[0].partition(":")[2]
    found = {password, unquote(password)} | {value for key, value in options if key.lower() in SECRET_OPTIONS}
    return tuple(sorted((secret for secret in found if secret), key=len, reverse=True))
