"""Text inside addresses and headers."""

from __future__ import annotations

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
SAFE_IN_QUOTES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._ ()")


def quoted(text: str) -> str:
    """Percent-encoded, all but the unreserved characters of RFC 3986."""
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))


def content_disposition(name: str) -> str:
    """The header that makes a browser save a file under a name: RFC 6266, with an ASCII name for old readers and the true one in UTF-8."""
    plain = "".join(letter if letter in SAFE_IN_QUOTES else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted(name)}"
