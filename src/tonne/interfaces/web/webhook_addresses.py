"""Which addresses a webhook may call, and how what is sent is signed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tonne.interfaces.web.settings import Settings


class HookRefused(ValueError):
    """An address that is not called. The message says why."""


def require_allowed(url: str, settings: Settings) -> tuple[str, int, bool]:
    """(host, port, private) of an address that may be called. Raises HookRefused. Its name is resolved only when it is called."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise HookRefused("this is no address") from None
    if len(url) > 1_000 or not url.isascii() or any(letter.isspace() or ord(letter) < 32 for letter in url):
        raise HookRefused("an address is at most 1,000 plain characters, without spaces")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise HookRefused("an address carries no user name, password or fragment")
    private = host in settings.webhook_private_hosts
    if not host or not (private or host in settings.webhook_hosts):
        raise HookRefused("the operator of this server has not allowed that host (webhook_hosts)")
    if parts.scheme != "https" and not (parts.scheme == "http" and private and _is_loopback(host)):
        raise HookRefused("an address begins with https://")
    return host, port or (443 if parts.scheme == "https" else 80), private


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resolved(host: str, port: int, private: bool) -> str:
    """The address to call. Raises HookRefused where any that the name resolves to must not be called."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        raise HookRefused("its name cannot be resolved") from None
    for one in sorted(found):
        address = ipaddress.ip_address(one.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not private and (not (mapped or address).is_global or (mapped or address).is_multicast):
            raise HookRefused("its name leads to an inside address")
    return min(found, key=lambda one: (":" in one, one))


def signature(secret: str, moment: int, body: bytes) -> str:
    """What the receiver checks: `t=<seconds>,v1=<HMAC-SHA256 over "<seconds>." and the body>`."""
    made = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def verified(secret: str, header: str, body: bytes, now: float, tolerance_s: int = 300) -> bool:
    """For receivers: whether a message is the server's, and fresh. header: Tonne-Signature."""
    parts: Mapping[str, str] = dict(piece.partition("=")[::2] for piece in header.split(","))  # type: ignore[misc]
    stamp = parts.get("t", "")
    if not stamp.isdigit() or abs(now - int(stamp)) > tolerance_s:
        return False
    return hmac.compare_digest(signature(secret, int(stamp), body), header)
