"""Whether a sector is exposed to carbon leakage: its extra cost, its trade intensity, or the product of the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import exact_column, truth
from tonne.rules.declare import rule
from tonne.units import Rate, fraction


@rule("cost_and_trade_test", unit="boolean", given={"cost": "ratio", "trade": "ratio"})
def is_leakage_exposed(
    cost: Any,
    trade: Any,
    *,
    leakage_product_from: Rate | None = None,
    leakage_trade_from: Rate | None = None,
    leakage_cost_from: Rate | None = None,
    leakage_both_cost_from: Rate | None = None,
    leakage_both_trade_from: Rate | None = None,
) -> Any:
    """Whether a sector keeps all of its allocation free: by cost x trade where the law has a bound for the product, else by each of them.

    Cost 1 % x trade 20 % = 0.2 % -> yes. Earlier: trade of 30 %, or cost of 30 %, or cost of 5 % together with trade of 10 %.
    """
    costs, trades = np.broadcast_arrays(exact_column(cost), exact_column(trade))
    if leakage_product_from is not None:
        return truth(_reaches(costs * trades, leakage_product_from))
    exposed = _reaches(costs, leakage_cost_from) | _reaches(trades, leakage_trade_from)
    return truth(exposed | (_reaches(costs, leakage_both_cost_from) & _reaches(trades, leakage_both_trade_from)))


def _reaches(values: Any, bound: Rate | None) -> Any:
    if bound is None:
        return np.zeros(np.shape(values), dtype=bool)
    exact = fraction(bound)
    return np.asarray(values * exact.denominator >= exact.numerator, dtype=bool)
