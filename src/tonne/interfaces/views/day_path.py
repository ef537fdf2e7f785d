"""The way a price went on a day: every trade where there are few, the lowest and the highest of each stretch where there are many."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import numpy as np

from tonne.administration.state import State
from tonne.interfaces.views.market_view import moment_of, number_of


def day_path(state: State, code: str, most: int = 240) -> tuple[tuple[datetime, Decimal], ...]:
    """(UTC, price) of trades in the book on the day that is not closed yet, oldest first, about `most` of them at most. Raises NotFound."""
    number = number_of(state, code)
    tick, rows = Decimal(state.exchange.listed[number]["tick"]), state.exchange.trades
    rows = rows[(rows["instrument"] == number) & (rows["spare"] == 0)]
    prices = np.ascontiguousarray(rows["price"])
    return tuple((moment_of(rows["time"][place]), tick * int(prices[place])) for place in _telling(prices, most))


def _telling(prices: np.ndarray, most: int) -> list[int]:
    """Places of the rows that show the shape: the first, the last, and of each stretch between them the extremes."""
    if len(prices) <= most:
        return list(range(len(prices)))
    kept = {0, len(prices) - 1}
    for stretch in np.array_split(np.arange(len(prices)), max(most // 2, 1)):
        part = prices[stretch]
        kept |= {int(stretch[part.argmin()]), int(stretch[part.argmax()])}
    return sorted(kept)
