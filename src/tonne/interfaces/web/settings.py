"""What a server is told: defaults, then a TOML file, then the environment (TONNE_PORT, ...), then the command line. Docs: docs/serve.md."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

PREFIX = "TONNE_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SECRET_LEAST = 32
WEAK = ("changeme", "change-me", "secret", "password", "default", "example")


class SettingsRefused(ValueError):
    """A server does not start with this. The message says what, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Settings:
    """host, port       where it listens; anything but loopback needs `behind_tls`
    databases           paths or URLs of the markets' logs, one a system
    people              path or URL of the logins; beside the first log when left out
    secrets             at least one of 32 characters; the first signs, the others are still accepted (rotation)
    public_url          how the world calls it: links in mails, the origin that forms must come from
    behind_tls          a proxy in front speaks TLS
    proxies             addresses whose X-Forwarded-For is believed
    oidc_*              a provider of OpenID Connect; none when `oidc_issuer` is empty
    mail_url            smtp://user:password@host:port of the mail server; empty: messages stay in the portal
    sink                a file to which every audit record is copied, in order
    body_most, upload_most    bytes of a request
    reads_per_minute, writes_per_minute, orders_per_second    of one person, key or address
    streams_each        event streams of one person or address
    webhook_hosts       hosts to which webhooks may be sent; nobody else is ever called; none by default
    webhook_private_hosts    the same for hosts with inside addresses
    """

    host: str = "127.0.0.1"
    port: int = 8600
    databases: tuple[str, ...] = ()
    people: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    public_url: str = ""
    behind_tls: bool = False
    proxies: tuple[str, ...] = ()
    language: str = "en"
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret: str = field(default="", repr=False)
    mail_url: str = field(default="", repr=False)
    mail_from: str = ""
    sink: str = ""
    webhook_hosts: tuple[str, ...] = ()
    body_most: int = 1_000_000
    upload_most: int = 20_000_000
    reads_per_minute: int = 6_000
    writes_per_minute: int = 600
    orders_per_second: int = 200
    streams_each: int = 4
    streams_most: int = 5_000
    read_timeout_s: float = 30.0
    publication_delay_years: int = 3
    webhook_private_hosts: tuple[str, ...] = ()
    log_format: str = "json"
    demo: bool = False

    def check(self) -> Settings:
        """Raises SettingsRefused."""
        if self.host not in LOOPBACK and not self.behind_tls:
            raise SettingsRefused(
                f"listening on {self.host} without TLS would send passwords in the clear: put a proxy with TLS before it and set behind_tls"
            )
        if not self.secrets:
            raise SettingsRefused("a server needs a secret: set TONNE_SECRETS to 32 random characters or more, or secrets_file in the settings")
        for secret in self.secrets:
            repeated = secret in (secret + secret)[1:-1]
            if len(secret) < SECRET_LEAST or secret.lower().strip("!0123456789") in WEAK or len(set(secret)) < 8 or repeated:
                raise SettingsRefused(f"a secret is random and at least {SECRET_LEAST} characters long; this one is short or can be guessed")
        if not 0 <= self.port <= 65_535:
            raise SettingsRefused(f"a port is 0 to 65535, not {self.port}")
        return self


def read(file: Path | None = None, environment: Mapping[str, str] | None = None, **told: Any) -> Settings:
    """Settings from file, environment and what the command line told (None: nothing). Raises SettingsRefused for what is not a setting."""
    known = {part.name: part for part in fields(Settings)}
    found: dict[str, Any] = {}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsRefused(f"{file}: {error}") from None
        unknown = sorted(set(given) - set(known) - {"secrets_file"})
        if unknown:
            raise SettingsRefused(f"{file}: no setting is called {', '.join(unknown)}; there are {', '.join(known)}")
        if "secrets_file" in given:
            given["secrets"] = tuple(Path(given.pop("secrets_file")).read_text(encoding="utf-8").split())
        found |= given
    for name, value in (environment if environment is not None else os.environ).items():
        if name.startswith(PREFIX) and name[len(PREFIX) :].lower() in known:
            found[name[len(PREFIX) :].lower()] = value
    found |= {name: value for name, value in told.items() if value is not None}
    return replace(Settings(), **{name: _as(known[name].type, name, value) for name, value in found.items()})


def _as(kind: Any, name: str, value: Any) -> Any:
    kind = str(kind)
    try:
        if kind.startswith("tuple"):
            return tuple(value.split()) if isinstance(value, str) else tuple(str(part) for part in value)
        if kind == "bool":
            if isinstance(value, str):
                return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[value.lower()]
            return bool(value)
        return {"int": int, "float": float, "str": str}[kind](value)
    except (KeyError, TypeError, ValueError):
        raise SettingsRefused(f"{name} is {kind}, not {value!r}") from None


def kept_secret(file: Path) -> str:
    """The secret in a file that only its owner reads; made on first use. For a server on one machine; elsewhere set TONNE_SECRETS."""
    if file.exists():
        return file.read_text(encoding="ascii").strip()
    secret = secrets.token_urlsafe(48)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(secret + "\n")
    return secret
