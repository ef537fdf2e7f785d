"""All randomness of this room, and how secret tokens are stored: only their SHA-256, which needs no salt for 256 random bits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread
TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits as 43 letters that fit into an address, a header and a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_id(kind: str) -> str:
    """`p-7k2m9d4x0q6rb1sn`: 80 random bits. No secret, but nobody guesses another's."""
    return f"{kind}-{letters(16)}"


def letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))


def recovery_code() -> str:
    """`4k7w9-x2m0q-8dtb1`: 75 random bits, short enough to be written by hand."""
    text = letters(15)
    return f"{text[:5]}-{text[5:10]}-{text[10:]}"


def shared_secret() -> str:
    """160 random bits in base 32: what RFC 4226 recommends for an authenticator."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def salt() -> bytes:
    return secrets.token_bytes(16)


def digest(token: str) -> bytes:
    """What is stored and looked up of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def keyed(secret: str, *parts: str) -> bytes:
    """HMAC-SHA-256 over the parts, each with its length before it, so that no two lists of parts run together."""
    made = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    for part in parts:
        data = part.encode()
        made.update(len(data).to_bytes(8, "big") + data)
    return made.digest()


def same(one: bytes, other: bytes) -> bool:
    """Compared in a time that does not tell how much agrees."""
    return hmac.compare_digest(one, other)
