"""Margin on the exchange: the parameters that its risk people set, the losses worked out from them once a day, and what members must have for it.

Losses are stored when they are worked out: options are priced by a model, and a replay asks no model again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from tonne.clearing.margin import Book, Credit, Family, Held, Losses, MarginError, initial_margin, losses
from tonne.clearing.option import Option
from tonne.units import UnitsError

if TYPE_CHECKING:
    from tonne.administration.exchange import Exchange

#: Lots that a member may hold, or have ordered, of one instrument, where its contract sets no lower limit: what is reckoned with them fits 64 bits.
LARGEST_POSITION = 2**27
#: Parameters of a family that are money or shares, as text.
FIGURES = ("price_scan", "volatility_scan", "spread_charge", "short_option_minimum", "delivery_charge", "extreme_multiple", "extreme_share")


def family_of(given: Mapping[str, Any]) -> Family:
    """A family from plain values. Raises MarginError for what is none."""
    unknown = sorted(set(given) - {"name", "currency", "lot", *FIGURES})
    if unknown:
        raise MarginError(f"a family has no {', '.join(map(repr, unknown))}; it has name, currency, lot, {', '.join(FIGURES)}")
    try:
        return Family(
            name=str(given["name"]),
            currency=str(given["currency"]),
            lot=int(given["lot"]),
            **{name: Decimal(str(given[name])) for name in FIGURES if name in given},
        )
    except KeyError as error:
        raise MarginError(f"a family needs {error.args[0]}") from None
    except (ArithmeticError, UnitsError, ValueError, TypeError) as error:
        raise MarginError(f"family {given.get('name')!r}: {error}") from None


def credit_of(given: Mapping[str, Any]) -> Credit:
    """A credit between two families from plain values: families [first, second], share, lots [of the first, of the second]. Raises MarginError."""
    try:
        first, second = given["families"]
        lots = given.get("lots", [1, 1])
        return Credit(families=(first, second), share=Decimal(str(given["share"])), lots=(int(lots[0]), int(lots[1])))
    except (KeyError, ValueError, ArithmeticError, TypeError, IndexError) as error:
        raise MarginError(f"a credit has families [first, second], a share and lots [of the first, of the second]: {error}") from None


def held_of(exchange: Exchange, number: int, marks: Any, day: date) -> Held:
    """An instrument as margin sees it at these marks (ticks) on a day."""
    listing = exchange.listed[number]
    price = Decimal(listing["tick"]) * int(marks[number])
    if listing["right"] is None:
        return Held(code=listing["code"], family=listing["family"], price=price, month=listing["month"], delivering=_delivers(listing, day))
    future = exchange.listed[listing["underlying"]]
    left = max((date.fromisoformat(listing["expiry"]) - day).days, 0)
    strike = Decimal(listing["tick"]) * int(listing["strike"])
    option = Option(listing["right"], strike, Decimal(listing["volatility"]), left, 0, listing["premium"] or "paid")
    below = Decimal(future["tick"]) * int(marks[listing["underlying"]])
    return Held(code=listing["code"], family=listing["family"], price=price, month=future["month"], option=option, future=below)


def _delivers(listing: Mapping[str, Any], day: date) -> bool:
    """Whether the last trading day has come, so that what is open will be delivered."""
    return listing["expiry"] is not None and date.fromisoformat(listing["expiry"]) <= day


def margined(exchange: Exchange) -> Any:
    """Numbers of the margined instruments, in the order of listing."""
    return np.flatnonzero(exchange.column("margined")) if exchange.listed else np.zeros(0, dtype=np.int64)


def book_of(exchange: Exchange, marks: Any, day: date) -> Book:
    """All that margin asks, at these marks. Raises MarginError."""
    families = tuple(family_of(one) for one in exchange.families)
    credits = tuple(credit_of(one) for one in exchange.credits)
    return Book(families, tuple(held_of(exchange, int(number), marks, day) for number in margined(exchange)), credits)


def work_out(exchange: Exchange, marks: Any, day: date) -> dict[str, Any]:
    """Losses of every margined instrument in every scenario, as the log keeps them. Raises MarginError."""
    found = losses(book_of(exchange, marks, day))
    return {
        "day": day.isoformat(),
        "loss": found.loss.tolist(),
        "scale": found.scale,
        "delta": found.delta.tolist(),
        "value": found.value.tolist(),
    }


def require_countable(stored: Mapping[str, Any], worst: Sequence[int]) -> None:
    """Margin of the largest positions can be counted at these losses. Raises MarginError."""
    largest = max((max(abs(loss) for loss in row) for row in stored["loss"]), default=0)
    if max(largest, *worst, 0) * LARGEST_POSITION * max(len(stored["loss"]), 1) >= 2**62:
        lost = largest // int(stored["scale"])
        raise MarginError(f"a lot may lose {lost:,} minor units: with positions of {LARGEST_POSITION:,} lots that is more than can be counted")


def required(exchange: Exchange, position: Any) -> dict[int, Any]:
    """Initial margin of positions [member, instrument], by currency (its number in the ledger), minor units."""
    numbers = margined(exchange)
    if not len(numbers):
        return {}
    book, known = exchange.margin()
    found = initial_margin(position[:, numbers], book, known)
    money = {exchange.listed[int(number)]["currency"]: int(exchange.column("money")[number]) for number in numbers}
    return {money[currency]: found.required[:, place] for place, currency in enumerate(book.currencies) if currency in money}


def known_losses(stored: Mapping[str, Any]) -> Losses:
    return Losses(
        np.array(stored["loss"], dtype=np.int64),
        int(stored["scale"]),
        np.array(stored["delta"], dtype=np.int64),
        np.array(stored["value"], dtype=np.int64),
    )


def worst_of(exchange: Exchange, stored: Mapping[str, Any], families: Sequence[Mapping[str, Any]]) -> list[int]:
    """For every listed instrument the most that one more lot can ask for, minor units: 0 for spot.

    The largest loss either way, or what a lot written must have, and the charge of a spread that it may make.
    """
    by_name = {one["name"]: family_of(one) for one in families}
    found = [0] * len(exchange.listed)
    for row, number in zip(stored["loss"], margined(exchange).tolist(), strict=True):
        family = by_name[exchange.listed[number]["family"]]
        largest = -(-max(abs(loss) for loss in row) // int(stored["scale"]))
        least = family.minor(family.short_option_minimum) if exchange.listed[number]["right"] is not None else 0
        found[number] = max(largest, least) + family.minor(family.spread_charge) + family.minor(family.delivery_charge)
    return found
