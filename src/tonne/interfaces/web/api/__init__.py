"""/api/v1: everything a page can do, for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

DESCRIPTION: dict[str, Any] = {
    "description": "Everything the pages of a tonne server can do, for programs. Times are ISO 8601 with offset, quantities whole units, money minor "
    "units of its currency, prices and ratios text. A command needs an `Idempotency-Key`; the same key gives the same answer and never does a "
    "thing twice.",
}


def routers() -> list[APIRouter]:
    """In the order in which addresses are tried: orders first, because nothing else is asked so often; fixed ones before those of a system."""
    from tonne.interfaces.web.api import acts, commands, filing, hooks, manual, office, orders, own, public, stream, systems, tasks, trading

    fixed = [manual.router, manual.page_router, systems.router, own.me_router, hooks.router]
    by_system = [own.router, trading.router, public.router, tasks.router, filing.router, acts.router, commands.router, office.router, stream.router]
    return [orders.router, *fixed, *by_system, stream.page_router]
