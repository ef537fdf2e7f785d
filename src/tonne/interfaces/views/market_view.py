"""What is traded, as everybody sees it: prices, volumes, days, the best levels of the book, the last trades. No party is named.

Prices are decimals in the instrument's currency per unit; quantities are units for what is spot and lots for what is margined, as they are ordered,
with `units` beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.state import State
from tonne.dates import from_day_number
from tonne.interfaces.views.found import NotFound, nearest
from tonne.market.orders import Phase, Side

#: Prices have the digits of the instrument's tick.
BARS: dict[str, Any] = {
    "day": pl.Date,
    "open": pl.Decimal,  # null: nothing traded in the book
    "high": pl.Decimal,
    "low": pl.Decimal,
    "close": pl.Decimal,
    "settlement": pl.Decimal,
    "volume": pl.Int64,  # as ordered: units or lots, in the book
    "negotiated": pl.Int64,  # agreed beside it
    "value_minor": pl.Int64,  # of what was traded in the book
    "trades": pl.Int64,
    "open_interest": pl.Int64,  # lots
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Instrument:
    """One contract and where it stands. kind: spot, daily_future, future, option, forward; counted: units or lots, what quantities are counted in.

    last: price of the last trade of all, None before any; settlement: the last closing or settlement price (before the first close the price it was
    listed at); change: last, or settlement where nothing traded today, less the settlement of the day before; volume, trades: of the day that is not
    closed yet; lowest, highest: prices accepted today, None without such a limit; phase: of the session, in words.
    """

    code: str
    kind: str
    settlement_kind: str
    currency: str
    unit: str
    counted: str
    lot: int
    tick: Decimal
    phase: str
    expiry: date | None
    delivery: date | None
    right: str | None
    strike: Decimal | None
    underlying: str | None
    last: Decimal | None
    settlement: Decimal | None
    settled_on: date | None
    change: Decimal | None
    bid: Decimal | None
    offer: Decimal | None
    volume: int
    negotiated: int
    trades: int
    open_interest: int | None
    lowest: Decimal | None
    highest: Decimal | None
    smallest_order: int


@dataclass(frozen=True)
class Level:
    price: Decimal
    quantity: int
    orders: int


@dataclass(frozen=True)
class DepthView:
    """The best levels of a book, best first; what is hidden is not in it. instructions: how many the book had taken: a sequence for streams."""

    code: str
    phase: str
    counted: str
    currency: str
    bids: tuple[Level, ...]
    offers: tuple[Level, ...]
    instructions: int


@dataclass(frozen=True)
class Trade:
    """A trade of the day. side: who came to the book (buy, sell), None where neither did: in a call, or agreed beside the book (negotiated)."""

    number: int
    time: datetime
    price: Decimal
    quantity: int
    units: int
    side: str | None
    negotiated: bool


def number_of(state: State, code: str) -> int:
    """The number of an instrument. Raises NotFound."""
    number = state.exchange.number(code)
    if number < 0:
        raise NotFound("instrument", code, nearest(code, [listing["code"] for listing in state.exchange.listed]))
    return number


def instruments(state: State) -> tuple[Instrument, ...]:
    """All that is listed, in the order of listing."""
    return tuple(_instrument(state, number) for number in range(len(state.exchange.listed)))


def instrument(state: State, code: str) -> Instrument:
    """One instrument. Raises NotFound."""
    return _instrument(state, number_of(state, code))


def _instrument(state: State, number: int) -> Instrument:
    exchange = state.exchange
    listing, now = exchange.listed[number], exchange.book.state(number)
    margined = listing["settlement"] == "margined"
    bars = exchange.bars[exchange.bars["instrument"] == number]
    mark, before = int(exchange.marks[number]), int(bars["settlement"][-2]) if len(bars) > 1 else 0
    rows = exchange.trades[exchange.trades["instrument"] == number]
    own = rows[rows["spare"] == 0]
    best = exchange.book.best(number)
    today = int(now.last) if len(own) else 0
    reference = mark if today else before
    return Instrument(
        code=listing["code"],
        kind=listing["kind"],
        settlement_kind=listing["settlement"],
        currency=listing["currency"],
        unit=state.books.unit_types[listing["unit"]].code if listing["unit"] >= 0 else "",
        counted="lots" if margined else "units",
        lot=listing["lot"],
        tick=Decimal(listing["tick"]),
        phase=Phase(now.phase).name.lower(),
        expiry=_date(listing["expiry"]),
        delivery=_date(listing["delivery"]),
        right=listing["right"],
        strike=price_of(listing, listing["strike"]) if listing["right"] else None,
        underlying=exchange.listed[listing["underlying"]]["code"] if listing["underlying"] >= 0 else None,
        last=price_of(listing, now.last),
        settlement=price_of(listing, mark),
        settled_on=from_day_number(int(bars["day"][-1])) if len(bars) else None,
        change=(today or mark) * Decimal(listing["tick"]) - reference * Decimal(listing["tick"]) if reference else None,
        bid=price_of(listing, best.buy),
        offer=price_of(listing, best.sell),
        volume=quantity_of(listing, int(own["quantity"].sum())),
        negotiated=quantity_of(listing, int(rows["quantity"].sum()) - int(own["quantity"].sum())),
        trades=len(own),
        open_interest=int(np.maximum(exchange.position[:, number], 0).sum()) if margined and len(exchange.members) else (0 if margined else None),
        lowest=price_of(listing, now.lowest_accepted),
        highest=price_of(listing, now.highest_accepted),
        smallest_order=quantity_of(listing, int(listing["min_order"])),
    )


def price_of(listing: Any, ticks: Any) -> Decimal | None:
    """Money per unit of whole ticks; None for no price."""
    return None if not ticks else Decimal(listing["tick"]) * int(ticks)


def quantity_of(listing: Any, lots: int) -> int:
    """As it is ordered: units of what is spot, lots of what is margined."""
    return lots if listing["settlement"] == "margined" else lots * int(listing["lot"])


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def moment_of(microseconds: Any) -> datetime:
    """Microseconds since 1970 as a moment in UTC."""
    return _EPOCH + timedelta(microseconds=int(microseconds))


def bars(state: State, code: str, *, first: date | None = None, last: date | None = None) -> pl.DataFrame:
    """The closed days of an instrument, in BARS. Raises NotFound."""
    number = number_of(state, code)
    listing = state.exchange.listed[number]
    rows = state.exchange.bars[state.exchange.bars["instrument"] == number]
    columns = {name: np.ascontiguousarray(rows[name]).tolist() for name in ("open", "high", "low", "close", "settlement")}
    prices = {name: [price_of(listing, ticks) for ticks in column] for name, column in columns.items()}
    scale, digits = quantity_of(listing, 1), max(0, -int(Decimal(listing["tick"]).as_tuple().exponent))
    schema = {name: pl.Decimal(38, digits) if kind == pl.Decimal else kind for name, kind in BARS.items()}
    frame = pl.DataFrame(
        {
            "day": pl.Series(np.ascontiguousarray(rows["day"]), dtype=pl.Int32).cast(pl.Date),
            **{name: pl.Series(values, dtype=schema[name]) for name, values in prices.items()},
            "volume": rows["volume"] * scale,
            "negotiated": rows["negotiated"] * scale,
            "value_minor": rows["value"] * listing["tick_value"],
            "trades": np.ascontiguousarray(rows["trades"]),
            "open_interest": np.ascontiguousarray(rows["open_interest"]),
        },
        schema=schema,
    )
    chosen = [pl.col("day") >= first] if first else []
    chosen += [pl.col("day") <= last] if last else []
    return frame.filter(*chosen) if chosen else frame


def depth(state: State, code: str, levels: int = 5) -> DepthView:
    """The best levels of both sides. Raises NotFound."""
    number = number_of(state, code)
    book, listing = state.exchange.book, state.exchange.listed[number]
    found = book.depth(number, levels)
    sides = [
        tuple(Level(Decimal(listing["tick"]) * price, quantity_of(listing, lots), orders) for price, lots, orders in np.asarray(side).tolist())
        for side in found
    ]
    counted = "lots" if listing["settlement"] == "margined" else "units"
    return DepthView(code, Phase(book.state(number).phase).name.lower(), counted, listing["currency"], sides[0], sides[1], book.count)


def trades(state: State, code: str, limit: int = 50) -> tuple[Trade, ...]:
    """The last trades of the day that is not closed yet, newest first. Raises NotFound."""
    number = number_of(state, code)
    listing, rows = state.exchange.listed[number], state.exchange.trades
    places = np.flatnonzero(rows["instrument"] == number)
    shown = places[-limit:] if limit else places[:0]
    together = places[np.isin(rows["instruction"][places], rows["instruction"][shown])]  # of what is shown, also the trades before
    sides = aggressors(rows[together])[len(together) - len(shown) :]
    found = [
        Trade(
            number=int(place) + 1,
            time=moment_of(row["time"]),
            price=Decimal(listing["tick"]) * int(row["price"]),
            quantity=quantity_of(listing, int(row["quantity"])),
            units=int(row["quantity"]) * int(listing["lot"]),
            side=side,
            negotiated=bool(row["spare"]),
        )
        for place, row, side in zip(shown.tolist(), rows[shown], sides, strict=True)
    ]
    return tuple(reversed(found))


def aggressors(rows: Any) -> list[str | None]:
    """Who came to the book in each trade of one instrument; None where neither side did, or nobody can tell: one instruction that let several orders
    trade ended a call, or set off stops. (A call that ends in a single trade looks like an order that came, and says buy.)"""
    calls: dict[int, set[int]] = {}
    for instruction, order in zip(rows["instruction"].tolist(), rows["order"].tolist(), strict=True):
        calls.setdefault(instruction, set()).add(order)
    words = {int(Side.BUY): "buy", int(Side.SELL): "sell"}
    return [
        None if spare or len(calls[instruction]) > 1 else words[side]
        for instruction, side, spare in zip(rows["instruction"].tolist(), rows["side"].tolist(), rows["spare"].tolist(), strict=True)
    ]
