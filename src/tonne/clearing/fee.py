"""What a venue and a clearing house charge: so much a lot, by what was done, with a least and a most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonne.clearing.exact import whole
from tonne.units import NEAREST, IntArray, Rate, Rounding, decimals_of, fraction, multiply


class FeeError(ValueError):
    """A tariff that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Money a lot, for each side: of trading (the one that came, the one that rested), clearing, exercise and delivery. `least` and `most`: money a
    side and occasion (None: no such bound). Rounded once, for the whole occasion."""

    currency: str
    aggressor: Rate = 0
    resting: Rate = 0
    clearing: Rate = 0
    exercise: Rate = 0
    delivery: Rate = 0
    least: Rate = 0
    most: Rate | None = None
    rounding: Rounding = NEAREST

    def __post_init__(self) -> None:
        if self.most is not None and fraction(self.most) < fraction(self.least):
            raise FeeError(f"the most, {self.most}, is below the least, {self.least}")
        if fraction(self.least) < 0 or fraction(self.clearing) < 0:
            raise FeeError("a clearing fee and a least fee are not negative; a rebate is a negative fee of the resting side")


def fee(lots: Any, each: Rate, tariff: Tariff) -> IntArray:
    """What so many lots cost at `each` a lot, in minor units: 37 lots at 0.0059 EUR -> 0.2183 -> 22 cents. No lots, no fee.

    A rebate (`each` below 0) knows neither least nor most.
    """
    counted = np.atleast_1d(whole("lots", lots))
    if np.any(counted < 0):
        raise FeeError("fees are on lots, which are not negative")
    scale = 10 ** decimals_of(tariff.currency)
    found = multiply(counted, fraction(each) * scale, rounding=tariff.rounding)
    if fraction(each) <= 0:
        return found
    least = multiply(1, fraction(tariff.least) * scale, rounding=tariff.rounding)
    found = np.where(counted > 0, np.maximum(found, least), 0)
    return found if tariff.most is None else np.minimum(found, multiply(1, fraction(tariff.most) * scale, rounding=tariff.rounding))


def trade_fees(trades: NDArray[np.void], buyer_came: Any, tariff: Tariff, accounts: int) -> IntArray:
    """Trading and clearing fees of the trades by account. `buyer_came`: whether the buyer was the one that came, for each trade."""
    came = np.asarray(buyer_came, dtype=bool)
    if came.shape != (len(trades),):
        raise FeeError(f"{len(trades)} trades, but {came.size} sides that came")
    total = np.zeros(accounts, dtype=np.int64)
    arrived, rested = fraction(tariff.aggressor) + fraction(tariff.clearing), fraction(tariff.resting) + fraction(tariff.clearing)
    for each, who in ((arrived, np.where(came, trades["buyer"], trades["seller"])), (rested, np.where(came, trades["seller"], trades["buyer"]))):
        if len(trades):
            np.add.at(total, who, fee(trades["lots"], each, tariff))
    return total
