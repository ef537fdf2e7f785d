"""How much one person, key or address may ask for. Orders, reads and other writes are counted apart, so that none keeps the others out."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from tonne.interfaces.web.settings import Settings
from tonne.people import Rate

ORDERS = "/orders"
SAFE = ("GET", "HEAD", "OPTIONS")
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@cache
def rates(settings: Settings) -> dict[str, Rate]:
    return {
        "read": Rate("read", settings.reads_per_minute, MINUTE, max(settings.reads_per_minute // 10, 60)),
        "write": Rate("write", settings.writes_per_minute, MINUTE, max(settings.writes_per_minute // 10, 30)),
        "orders": Rate("orders", settings.orders_per_second, SECOND, 2 * settings.orders_per_second),
        "policy": Rate("policy", 10, MINUTE, 10),
    }


def require(place: Any, visitor: Any, request: Any) -> None:
    """Raises PeopleRefused `too_many_requests`, with the seconds to wait."""
    who = f"key:{visitor.key.id}" if visitor.key is not None else visitor.person or f"address:{visitor.address}"
    kind = "read" if request.method in SAFE else "orders" if request.scope["path"].endswith(ORDERS) else "write"
    place.limits.take((rates(place.settings)[kind], who), now=place.real_now())
