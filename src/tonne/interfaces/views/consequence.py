"""What comes of not surrendering, by the law's own rule; and what can be done instead, with its cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.allocate import ask_rows
from tonne.administration.asks import asks, offers
from tonne.administration.penalise import fines, known_missing
from tonne.administration.purchase import price_by_law
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.explain import Formula, formula
from tonne.law import LawError
from tonne.units import UP, decimals_of, fraction, multiply


@dataclass(frozen=True)
class Penalty:
    """What happens if nothing is done. low_minor, high_minor: the fine in minor units (equal unless the text gives a range); None: see `why`.

    why        ``, or no_fine (the law has none in money), needs_price (it is a multiple of a price that was not given), not_in_force, no_answer, or
               imposed (the deadline is over, and this is what was set)
    shortfall  units that would be fined: what was missing at an earlier deadline is not fined again
    units      deducted or owed on top; still_owed: of the shortfall, what stays owed
    """

    shortfall: int
    day: date | None
    low_minor: int | None
    high_minor: int | None
    currency: str
    why: str
    units: int
    still_owed: int
    formula: Formula | None


@dataclass(frozen=True)
class Way:
    """A way to cover what is missing. way: surrender (units on the account), move (units on the operator's other accounts), auction, market, purchase
    (units at the law's fixed price), payment (money in place of units).

    quantity  units; price: money per unit as text, None where nobody knows; cost_minor likewise; name: of the auction or instrument; until: last day
    """

    way: str
    quantity: int
    price: Decimal | None = None
    cost_minor: int | None = None
    name: str = ""
    until: date | None = None


def cost_of(state: State, quantity: int, price: Decimal | None) -> int | None:
    """Minor units of the system's currency, a part of one counted whole; None without a price."""
    if price is None:
        return None
    return int(multiply(quantity, fraction(price) * 10 ** decimals_of(state.rulebook.system.currency), rounding=UP))


def penalty_of(state: State, installation: str, year: int, missing: int, before: int, price: Decimal | None, cache: Cache) -> Penalty:
    """The fine for what would be missing at a period's deadline, by the law of the day on which it is imposed. before: units that would have been
    fined at an earlier deadline, still to come."""
    day = day_of(state, "penalise", year) or day_of(state, "surrender", year)
    if f"penalise:{year}" in state.done:
        return _imposed(state, installation, year)
    law = state.law(max(day or state.today, state.rulebook.system.begins))
    depends = (state.statuses, state.fines, len(state.amendments), len(state.done))
    known = cache.get(("known_missing", year), depends, lambda: dict(known_missing(state, year).select("installation", "known").iter_rows()))
    shortfall = max(missing - max(int(known.get(installation) or 0), before), 0)
    currency = state.rulebook.system.currency
    rows = np.array([shortfall], dtype=np.int64)
    units, owed, why, low, high, told = 0, shortfall, "", None, None, None
    try:
        units = int(np.asarray(ask_rows(law, "penalty_units", {"shortfall": rows}))[0]) if offers(law, "penalty_units") else 0
        owed = int(np.asarray(ask_rows(law, "still_owed", {"missing": rows}))[0]) if offers(law, "still_owed") else shortfall
        told = formula(law, "penalty", {"shortfall": shortfall, "year": year, "mean_price": price}, (year,)) if offers(law, "penalty") else None
        if told is None:
            why = "no_fine"
        else:
            (low, *_), (high, *_) = fines(law, rows, year, price)
    except Refusal:
        why = "needs_price"
    except ValueError:
        why = "needs_price" if price is None and _takes_price(law) else "no_answer"
    except (LawError, KeyError):
        why = "not_in_force"
    return Penalty(shortfall, day, low, high, currency, why, units, owed, told)


def _imposed(state: State, installation: str, year: int) -> Penalty:
    """The fine that was set at a deadline that is over; zeros where there was none."""
    day, currency = date.fromisoformat(state.done[f"penalise:{year}"]), state.rulebook.system.currency
    rows = state.fines.filter(pl.col("installation") == installation, pl.col("year") == year).to_dicts()
    if not rows:
        return Penalty(0, day, 0, 0, currency, "imposed", 0, 0, None)
    row = rows[0]
    return Penalty(
        row["shortfall"], day, row["low_minor"], row["high_minor"], currency, "imposed", row["units"], row["shortfall"] - row["released"], None
    )


def _takes_price(law: Any) -> bool:
    return "mean_price" in asks(law.rulebook)["penalty"][0].given


def ways_of(
    state: State, year: int, missing: int, own: int, elsewhere: int, admitted: int | None, price: Decimal | None, today: date
) -> tuple[Way, ...]:
    """Ways to cover what is missing, those that cost nothing first. Units beyond what may still be admitted are no way."""
    if missing <= 0:
        return ()
    by_units = missing if admitted is None else min(missing, admitted)
    deadline = day_of(state, "surrender", year)
    found = []
    if min(own, by_units):
        found.append(Way("surrender", min(own, by_units), until=deadline))
    left = by_units - min(own, by_units)
    if min(elsewhere, left):
        found.append(Way("move", min(elsewhere, left), until=deadline))
    left -= min(elsewhere, left)
    found += _bought(state, left, price, deadline, today) if left else []
    return (*found, *_by_law(state, year, missing, left, today, deadline))


def _bought(state: State, quantity: int, price: Decimal | None, deadline: date | None, today: date) -> list[Way]:
    """Open auctions that are held in time, and what is listed for immediate or early delivery."""
    cost = cost_of(state, quantity, price)
    sales = sorted((date.fromisoformat(sale["held_on"]), name) for name, sale in state.exchange.sales.items())
    found = [Way("auction", quantity, price, cost, name, day) for day, name in sales if today <= day and (deadline is None or day <= deadline)]
    spot = [one["code"] for one in state.exchange.listed if one["settlement"] != "margined" and one["unit"] in state.allowance_units()]
    return found + [Way("market", quantity, price, cost, code, deadline) for code in spot]


def _by_law(state: State, year: int, missing: int, left: int, today: date, deadline: date | None) -> list[Way]:
    """What the authority sells for the year at a price of the law's own."""
    law = state.law(max(today, state.today))
    try:
        ask, price = price_by_law(law, year)
    except (LawError, ValueError, KeyError):
        return []
    if price is None:
        return []
    way, quantity = ("purchase", left) if ask == "fixed_price" else ("payment", missing)
    return [Way(way, quantity, price, cost_of(state, quantity, price), "", deadline)] if quantity else []
