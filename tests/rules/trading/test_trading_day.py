"""What a venue publishes at the end of a day."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np

from tonne.rules.trading.trading_day import close_price, day_total, mean_price, trading_method

TICK: dict[str, Any] = {"tick": D("0.01")}


def test_mean_prices_of_one_day_many_days_and_none() -> None:
    assert mean_price(D("7661230022.99"), 178_789_350, **TICK) == D("42.85")
    assert mean_price([3_217_000, 0], [55_000, 0], **TICK).tolist() == [D("58.49"), None]
    assert mean_price([], np.zeros(0, dtype=np.int64), **TICK).tolist() == []


def test_a_day_adds_up_over_its_ways_of_trading() -> None:
    day = day_total(21_787, 1_217_935, 1_260_200, 68_391_200, **TICK)
    assert day == {"volume": 1_281_987, "value": 69_609_135, "mean": D("54.30"), "listed_mean": D("55.90"), "block_mean": D("54.27")}


def test_the_close_is_that_of_listed_trades() -> None:
    assert close_price(1_217_935, 21_787, D("55.00"), **TICK) == D("55.90")
    assert close_price(0, 0, D("55.00"), **TICK) == D("55.00")


def test_the_size_decides_the_way_of_trading() -> None:
    assert trading_method(100_000, block_from=100_000) == "block"
    assert trading_method([99_999, 100_000], block_from=100_000).tolist() == ["listed", "block"]
