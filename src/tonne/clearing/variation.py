"""What changes hands every day: variation margin on the day's move, and the premium of options.

Carried lots are marked from the previous settlement price, the day's trades from the price agreed. Options whose premium is paid at the trade
have no variation: their value is a credit (long) or a debit (short) in the margin. Futures-style options pay nothing at the trade and are marked
every day like a future. Every sum is zero over all accounts: what one gains another loses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonne.clearing.exact import added, booked, times, weighed, whole
from tonne.clearing.position import after_trades
from tonne.units import IntArray


@dataclass(frozen=True, slots=True)
class Day:
    """One day's money by account (minor units, above 0: received) and the positions at its end."""

    variation: IntArray
    premium: IntArray
    positions: IntArray

    @property
    def total(self) -> IntArray:
        return added("a day's money", self.variation, self.premium)


def variation(positions: IntArray, previous: Any, now: Any, tick_value: Any) -> IntArray:
    """Gain (above 0) or loss of each account on carried lots: lots x (now - previous) x tick value, in minor units.

    10 lots long from 8,290 to 8,360 ticks at 1,000 cents a tick: 10 x 70 x 1,000 = 700,000 cents.
    """
    moves = added("a day's move", whole("settlement prices", now), -whole("previous settlement prices", previous))
    return weighed("variation margin", whole("positions", positions), times("a day's move", moves, whole("tick value", tick_value)))


def variation_of_trades(trades: NDArray[np.void], now: Any, tick_value: Any, accounts: int) -> IntArray:
    """Gain or loss of each account on the day's trades, from the price agreed to the settlement price."""
    prices, values = whole("settlement prices", now), whole("tick value", tick_value)
    columns = trades["instrument"]
    each = times(
        "a trade's move", times("a trade's move", added("a trade's move", prices[columns], -trades["price"]), values[columns]), trades["lots"]
    )
    return booked("variation margin", each, trades["buyer"], trades["seller"], accounts)


def premium(trades: NDArray[np.void], tick_value: Any, paid: Any, accounts: int) -> IntArray:
    """What buyers pay (below 0) and sellers receive for options whose premium is paid at the trade; `paid` says which instruments those are.

    5 options at 250 ticks of 1,000 cents: the buyer -1,250,000, the seller +1,250,000.
    """
    values = np.where(np.asarray(paid, dtype=bool), whole("tick value", tick_value), 0)
    each = times("a premium", times("a premium", trades["price"], values[trades["instrument"]]), trades["lots"])
    return booked("premium", each, trades["seller"], trades["buyer"], accounts)


def option_value(positions: IntArray, now: Any, tick_value: Any, paid: Any) -> IntArray:
    """Value of the paid options that each account holds (below 0: that it wrote), at the settlement price: what the margin counts as a credit."""
    values = np.where(np.asarray(paid, dtype=bool), whole("tick value", tick_value), 0)
    return weighed("option value", whole("positions", positions), times("option value", whole("settlement prices", now), values))


def day(opening: IntArray, trades: NDArray[np.void], previous: Any, now: Any, tick_value: Any, paid: Any = False) -> Day:
    """The day of all accounts: variation on carried lots and on the day's trades, premium paid, positions at the end.

    opening: accounts x instruments; previous, now, tick_value: one an instrument; paid: which instruments are options paid at the trade.
    """
    accounts = len(opening)
    values = whole("tick value", tick_value)
    paid_at_trade = np.broadcast_to(np.asarray(paid, dtype=bool), values.shape)
    marked = np.where(paid_at_trade, 0, values)
    gains = added("variation margin", variation(opening, previous, now, marked), variation_of_trades(trades, now, marked, accounts))
    return Day(gains, premium(trades, values, paid_at_trade, accounts), after_trades(opening, trades))
