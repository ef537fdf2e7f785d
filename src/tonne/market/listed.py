"""What a day of trading comes to: opening and closing price, range, volume and value, with negotiated trades kept apart.

Where only listed trades make the price (venues with listed and block trading), a block trade adds to the volume of the day and to nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tonne.units import NEAREST, IntArray, Rounding, round_fraction

FIRST_TRADE, LAST_CLOSE = "first_trade", "last_close"
"""Opening prices: the first listed trade of the day (else the last close), or always the last close."""


@dataclass(frozen=True, slots=True)
class DaySummary:
    """A day of one instrument, or of several taken together. Prices are ticks, volumes lots, values lots x ticks x tick_value.

    open, close     None only where nothing was traded and there is no earlier close
    high, low       of listed trades; None where there was none
    block_high, block_low, block_volume, block_value      of all other trades
    """

    open: int | None
    high: int | None
    low: int | None
    close: int | None
    volume: int
    value: int
    trades: int
    block_high: int | None
    block_low: int | None
    block_volume: int
    block_value: int
    block_trades: int
    tick_value: int = 1

    @property
    def total_volume(self) -> int:
        return self.volume + self.block_volume

    @property
    def total_value(self) -> int:
        return self.value + self.block_value

    def mean(self, rounding: Rounding = NEAREST) -> int | None:
        """The mean price of everything that was traded, in ticks."""
        return mean_price(self.total_value, self.total_volume, self.tick_value, rounding)


def day_summary(
    ticks: ArrayLike,
    lots: ArrayLike,
    listed: ArrayLike,
    last_close: int | None,
    *,
    tick_value: int = 1,
    opening: str = FIRST_TRADE,
    few_lots: int = 0,
    rounding: Rounding = NEAREST,
) -> DaySummary:
    """The day of one instrument from its trades in the order of time: three columns of one length (price, quantity, whether it was listed).

    close      volume-weighted mean of the listed trades, rounded to a tick; the last close where they come to `few_lots` or fewer
    opening    FIRST_TRADE or LAST_CLOSE
    Raises ValueError for columns of different lengths, quantities below one lot, an unknown opening.
    """
    price, quantity, in_book = np.asarray(ticks, dtype=np.int64), np.asarray(lots, dtype=np.int64), np.asarray(listed, dtype=bool)
    if not price.shape == quantity.shape == in_book.shape or price.ndim != 1:
        raise ValueError(f"prices, quantities and ways of trading have one length, not {price.shape}, {quantity.shape}, {in_book.shape}")
    if np.any(quantity <= 0):
        raise ValueError(f"the trade in row {int(np.argmax(quantity <= 0))} has no quantity; leave it out")
    if opening not in (FIRST_TRADE, LAST_CLOSE):
        raise ValueError(f"{opening!r} is no opening price; there are {FIRST_TRADE}, {LAST_CLOSE}")
    book, block = price[in_book], price[~in_book]
    volume, value = int(quantity[in_book].sum()), _value(book, quantity[in_book]) * tick_value
    few = volume <= few_lots
    return DaySummary(
        open=int(book[0]) if opening == FIRST_TRADE and book.size else last_close,
        high=int(book.max()) if book.size else None,
        low=int(book.min()) if book.size else None,
        close=last_close if few else mean_price(value, volume, tick_value, rounding),
        volume=volume,
        value=value,
        trades=int(book.size),
        block_high=int(block.max()) if block.size else None,
        block_low=int(block.min()) if block.size else None,
        block_volume=int(quantity[~in_book].sum()),
        block_value=_value(block, quantity[~in_book]) * tick_value,
        block_trades=int(block.size),
        tick_value=tick_value,
    )


def mean_price(value: int, volume: int, tick_value: int = 1, rounding: Rounding = NEAREST) -> int | None:
    """Value over volume in ticks, rounded once; None where nothing was traded. 121,793,500 / 21,787 = 5,590.19... -> 5,590."""
    return round_fraction(Fraction(value, volume * tick_value), rounding) if volume else None


def composite_price(days: Sequence[DaySummary], rounding: Rounding = NEAREST) -> int | None:
    """One price over several instruments of the same tick (all vintages of an allowance): their listed value over their listed volume.

    None where none was traded. Raises ValueError for instruments whose ticks are worth different amounts.
    """
    worth = {day.tick_value for day in days}
    if len(worth) > 1:
        raise ValueError("a composite price is over instruments of one tick and lot")
    return mean_price(sum(day.value for day in days), sum(day.volume for day in days), next(iter(worth), 1), rounding)


def _value(prices: IntArray, quantities: IntArray) -> int:
    """The sum of price x quantity, in Python's integers where int64 might not hold it."""
    if not prices.size:
        return 0
    if int(np.abs(prices).max()) * int(quantities.max()) * prices.size < 2**63:
        return int(prices @ quantities)
    return sum(int(price) * int(quantity) for price, quantity in zip(prices, quantities, strict=True))
