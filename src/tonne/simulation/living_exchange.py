"""The exchange of a living market: what is listed, at what prices people meet on the days before, and the orders that traders have in the book."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.market.contract import Contract, ContractError
from tonne.market.expiry import Calendar, of_month
from tonne.market.orders import Instruction, Lasting, Phase, Side, Verb, instructions_of
from tonne.simulation.living_people import day_by_day
from tonne.simulation.randomness import generator
from tonne.simulation.trading_floor import Floor, Traded
from tonne.units import NEAREST, decimals_of, fraction, round_fraction

#: Units that one must be able to buy; open days of trading that are over when the market is shown; parts of such a day.
SMALLEST, DAYS, PARTS = 100, 40, 3
#: Orders of a part of a day; the day's limits around the last settlement price; a usual distance; what a year adds to a future's price.
ORDERS, LIMIT, STEP, CARRY = 34, Fraction(1, 10), Fraction(1, 2000), Fraction(3, 100)
#: A day moves the price by so many steps, give or take; and it stays within a fifth of the newest one.
DAILY, WIDEST = 24, Fraction(1, 5)
SCAN, SPREAD = Fraction(75, 1000), Fraction(5, 1000)
MONTH, FUTURES = 12, 2


@dataclass(frozen=True)
class Board:
    """What is traded: the spot contract first. `level` is the newest price, in the spot's ticks."""

    floor: Floor
    spot: Traded
    futures: tuple[Traded, ...]
    level: int
    note: str

    @property
    def traded(self) -> tuple[Traded, ...]:
        return (self.spot, *self.futures)

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.floor.future.contract.holidays)

    def ticks(self, place: int, level: int, day: date) -> int:
        """The price of an instrument when the spot's is `level` ticks."""
        one = self.traded[place]
        days = (one.series.expiry - day).days if one.series is not None else 0
        worth = fraction(self.spot.contract.tick) * level * (1 + CARRY * Fraction(max(days, 0), 365))
        return max(round_fraction(worth / fraction(one.contract.tick), NEAREST), 1)

    def step(self, place: int) -> int:
        """A usual distance between two orders, in the instrument's ticks."""
        worth = fraction(self.spot.contract.tick) * self.level * STEP
        return max(round_fraction(worth / fraction(self.traded[place].contract.tick), NEAREST), 1)


def board_of(floor: Floor, unit: str, year: int) -> Board:
    """The venue's contracts where they suffice; a spot contract of the market's own where the venue's has too large a lot or settles days later."""
    contract, note = floor.spot.contract, ""
    spot = floor.spot
    if SMALLEST % contract.lot or contract.settlement != "prefunded" or contract.settlement_lag:
        terms = {"lot": 1, "unit": floor.unit, "tick": str(contract.tick), "currency": floor.currency, "settlement": "prefunded"}
        terms |= {"time_zone": floor.session.timezone}
        own = Contract.of("synthetic-small-lot-spot", "synthetic", "spot", terms | {"tick": contract.tick})
        spot = Traded(own, f"spot:{unit}", terms)
        note = "The spot contract's terms are SYNTHETIC: one unit a lot, paid and delivered at the trade."
        note += f" The venue's own contract, {contract.id}, has a lot of {contract.lot:,}." if floor.spot.terms is None else ""
    else:
        spot = replace(spot, code=f"spot:{unit}")
    level = max(round_fraction(fraction(floor.price) / fraction(spot.contract.tick), NEAREST), 1)
    return Board(floor, spot, tuple(_futures(floor, year)), level, note)


def _futures(floor: Floor, year: int) -> Iterator[Traded]:
    """The December future of a year, and of the next one."""
    first = floor.future
    yield first
    for later in range(1, FUTURES):
        try:
            series = of_month(first.contract, year + later, MONTH)
        except ContractError:
            return
        yield Traded(first.contract, f"{first.contract.id}:{series.name}", first.terms, series)


def margin_of(board: Board) -> dict[str, Any]:
    """Margin parameters of the futures, SYNTHETIC: what the price may move, and a charge for one month against another."""
    floor = board.floor
    digits = Decimal(1).scaleb(-decimals_of(floor.currency))

    def money(share: Fraction) -> str:
        return str(round_fraction(fraction(floor.price) * share / fraction(digits), NEAREST) * digits)

    family = {"name": floor.unit, "currency": floor.currency, "lot": floor.future.contract.lot, "price_scan": money(SCAN)}
    return {"families": [family | {"spread_charge": money(SPREAD)}]}


def listing_of(board: Board, place: int, unit: str, ticks: int, seed: int) -> dict[str, Any]:
    """What `list_instrument` takes of an instrument that delivers a unit."""
    one = board.traded[place]
    body = one.body() | {"unit": unit, "seed": seed, "reference": str(one.contract.price(ticks))}
    if one.series is not None:
        body |= {"family": board.floor.unit}
    return body


def levels(board: Board, days: Sequence[date], seed: int) -> dict[date, int]:
    """The spot's price of each day in ticks: a walk that ends at the newest price."""
    step, widest = board.step(0), round_fraction(WIDEST * board.level, NEAREST)
    moves = np.rint(generator(seed, "living", "levels").standard_normal(len(days)) * DAILY).astype(np.int64) * step
    back = np.clip(np.cumsum(np.concatenate([[0], moves[:-1]])), -widest, widest).tolist()
    return {day: max(board.level + int(away), 1) for day, away in zip(reversed(days), back, strict=True)}


# -- instructions


def morning(state: Any, time: int, marks: Mapping[str, int]) -> list[Instruction]:
    """The day's price limits around prices (code -> ticks), where the contract has none of its own, and continuous trading."""
    rows = []
    for code, mark in marks.items():
        number = state.exchange.number(code)
        if state.exchange.listed[number]["price_limit"] is None:
            width = max(round_fraction(LIMIT * mark, NEAREST), 1)
            limits = {"price": mark, "stop": max(1, mark - width), "display": mark + width}
            rows.append(Instruction(verb=Verb.REFERENCE, instrument=number, time=time, **limits))
        rows.append(Instruction(verb=Verb.PHASE, phase=Phase.CONTINUOUS, instrument=number, time=time))
    return rows


def day_rows(state: Any, board: Board, traders: Sequence[int], day: date, part: int, level: int, seed: int) -> Any:
    """Orders of a part of a day before the market is shown: around the day's price, so that some of them trade."""
    random, session = day_by_day(day, seed, "orders", str(part)), board.floor.session
    begins, ends = (session.time(day, session.minute(session.length * place // PARTS)) for place in (part, part + 1))
    codes = [one.code for one in board.traded]
    rows = morning(state, begins, {code: board.ticks(place, level, day) for place, code in enumerate(codes)}) if part == 0 else []
    number = state.exchange.book.highest
    for time in sorted(random.integers(begins + 1, ends, ORDERS).tolist()):
        place = int(random.choice(len(codes), p=_weights(len(codes))))
        number += 1
        order = quote(random, board, place, board.ticks(place, level, day), traders[int(random.integers(len(traders)))])
        rows.append(order._replace(order=number, time=time, instrument=state.exchange.number(codes[place])))
    return instructions_of(rows)


def quote(random: Any, board: Board, place: int, middle: int, account: int, side: Side | None = None) -> Instruction:
    """One order a few steps from the middle of an instrument; sometimes across it."""
    side = Side(int(random.integers(2))) if side is None else side
    away = int(np.clip(np.rint(random.normal(1.5, 2.0)), -2, 8)) * board.step(place)
    price = max(middle - away if side == Side.BUY else middle + away, 1)
    return Instruction(price=price, quantity=size(random, board, place), account=account, side=side)


def size(random: Any, board: Board, place: int) -> int:
    """Lots of a usual order: some hundred units of the spot, some lots of a future."""
    lot = board.traded[place].contract.lot
    return (1 + min(int(random.pareto(1.6) * 3), 40)) * (max(50 // lot, 1) if place == 0 else 1)


def full_book(state: Any, board: Board, traders: Sequence[int], day: date, time: int, seed: int) -> Any:
    """Orders on both sides of every instrument, by every trader: what one sees when the market is shown."""
    random, rows, number = day_by_day(day, seed, "book"), [], state.exchange.book.highest
    for place, one in enumerate(board.traded):
        middle, step = board.ticks(place, board.level, day), board.step(place)
        for rank, account in enumerate(traders):
            for side in (Side.BUY, Side.SELL):
                number += 1
                away = (1 + rank) * step + int(random.integers(step))
                price = max(middle - away if side == Side.BUY else middle + away, 1)
                lots = size(random, board, place) + (SMALLEST // one.contract.lot if place == 0 else 0)
                order = Instruction(order=number, price=price, quantity=lots, time=time, account=account, side=side)
                rows.append(order._replace(instrument=state.exchange.number(one.code), lasting=Lasting.DAY))
    return instructions_of(rows)


def _weights(count: int) -> list[float]:
    """Half of all orders are for the spot."""
    return [0.5, *[0.5 / max(count - 1, 1)] * (count - 1)] if count > 1 else [1.0]


def money_of(board: Board, lots: Mapping[int, int]) -> int:
    """Minor units that so many lots of each instrument (by place) cost at the newest price."""
    digits = 10 ** decimals_of(board.floor.currency)
    return sum(
        round_fraction(fraction(board.floor.price) * digits * count * board.traded[place].contract.lot, NEAREST) for place, count in lots.items()
    )
