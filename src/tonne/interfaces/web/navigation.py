"""What the frame of a page shows: the system, the ways on, for whom somebody acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from tonne.interfaces.web.words import N_, named

#: address, label, icon, whether it is this page
Way = tuple[str, str, str, bool]
#: (path, label, icon, roles); a path that begins with / is outside any market.
WAYS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    ("home", N_("Home"), "home", frozenset({"operator", "trader", "verifier", "administrator", "auditor", "venue", "auctioneer", "bank"})),
    ("tasks", N_("Tasks"), "checklist", frozenset({"operator", "trader", "administrator", "verifier"})),
    ("obligation", N_("Obligation"), "scale", frozenset({"operator"})),
    ("accounts", N_("Accounts"), "wallet", frozenset({"operator", "trader"})),
    ("reports", N_("Reports"), "report", frozenset({"operator", "verifier", "administrator"})),
    ("trade", N_("Trade"), "chart-candle", frozenset({"operator", "trader"})),
    ("bids", N_("Bids"), "gavel", frozenset({"operator", "trader"})),
    ("money", N_("Money"), "coins", frozenset({"operator", "trader"})),
    ("venue", N_("Exchange"), "adjustments", frozenset({"venue"})),
    ("admin", N_("Administration"), "building-bank", frozenset({"administrator"})),
    ("audit", N_("Audit"), "shield-check", frozenset({"auditor", "administrator"})),
)
PUBLIC_WAYS: tuple[tuple[str, str, str], ...] = (
    ("", N_("Overview"), "chart-dots"),
    ("law", N_("Law"), "book"),
    ("calendar", N_("Calendar"), "calendar"),
    ("participants", N_("Participants"), "users"),
    ("compliance", N_("Compliance"), "circle-check"),
    ("transactions", N_("Transactions"), "arrows-exchange"),
    ("auctions", N_("Auctions"), "gavel"),
    ("market", N_("Market"), "chart-line"),
)
WORLD_WAYS: tuple[tuple[str, str, str], ...] = (
    ("/systems", N_("Systems"), "world"),
    ("/compare", N_("Compare"), "columns"),
    ("/charts", N_("Charts"), "chart-bar"),
    ("/data", N_("Data"), "database"),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A system as pages name it."""

    id: str
    name: str
    unit: str
    measure: str
    currency: str
    open: bool


@cache
def _named(system: str, language: str, is_open: bool) -> Named | None:
    from tonne.interfaces.api import rulebook, systems

    if system not in systems():
        return None
    known = rulebook(system).system
    return Named(system, named(known.name, language), known.unit_code, known.measure, known.currency, is_open)


def system_of(ask: Any) -> Named | None:
    """The system of the address, None on pages of the whole world."""
    if ask.hall is not None:
        system = ask.hall.rulebook.system
        return Named(system.id, named(system.name, ask.language), system.unit_code, system.measure, system.currency, True)
    asked = ask.request.path_params.get("system", "")
    return _named(asked, ask.language, False) if asked else None


def items(ask: Any) -> tuple[list[Way], str, list[Way]]:
    """The main navigation; the name of the menu behind it, and what that holds: for members the public pages, for all the whole world's."""
    system = system_of(ask)
    world = [(path, label, icon) for path, label, icon in WORLD_WAYS]
    if system is None:
        return _ways(ask, world, None), "", []
    base = f"/{system.id}"
    own = [(f"{base}/{path}", label, icon) for path, label, icon, roles in WAYS if ask.visitor.role in roles]
    public = [(f"{base}/{path}".rstrip("/"), label, icon) for path, label, icon in PUBLIC_WAYS if system.open or path in ("", "law", "calendar")]
    if own:
        return _ways(ask, own, system), ask._("Public register"), _ways(ask, [*public, *world], system)
    return _ways(ask, public, system), ask._("All systems"), _ways(ask, world, system)


def _ways(ask: Any, ways: list[tuple[str, str, str]], system: Named | None) -> list[Way]:
    return [(ask.url(path), ask._(label), icon, _is_here(ask.path, path, system)) for path, label, icon in ways]


def _is_here(path: str, way: str, system: Named | None) -> bool:
    if system is not None and way == f"/{system.id}":
        return path == way
    return path == way or path.startswith(f"{way}/")


def session_ends(ask: Any) -> datetime | None:
    """When the visitor's session ends for want of use, or for good."""
    session = ask.visitor.session
    if session is None:
        return None
    ends: datetime = min(ask.place.real_now() + ask.place.people.settings.idle, session.ends_at)
    return ends
