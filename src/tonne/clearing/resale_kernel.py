"""The compiled walk of `resale.positions`; `resale.positions_plain` is the same law written plainly, and the tests hold the two to each other."""

from __future__ import annotations

from typing import Any

from tonne.ledger.kernel import compiled

ARRIVAL, SALE = 0, 1
"""The numbers of `resale.Way`."""


@compiled()
def follow(bounds: Any, quantity: Any, day: Any, free: Any, way: Any, today: Any, left: Any, refused: Any, sellable: Any, locked: Any) -> None:
    """Position p has rows bounds[p] to bounds[p + 1] - 1. `left` (of each arrival), `refused`, `sellable` and `locked` are written."""
    for p in range(len(bounds) - 1):
        begins, ends = bounds[p], bounds[p + 1]
        oldest = begins
        for i in range(begins, ends):
            if way[i] == ARRIVAL:
                continue
            while oldest < i and left[oldest] == 0:
                oldest += 1
            need = quantity[i]
            for k in range(oldest, i):
                if need == 0:
                    break
                if way[i] != SALE or free[k] <= day[i]:
                    need -= min(need, left[k])
            if need > 0:
                refused[i] = True
                continue
            need = quantity[i]
            for k in range(oldest, i):
                if need == 0:
                    break
                if way[i] != SALE or free[k] <= day[i]:
                    taken = min(need, left[k])
                    left[k] -= taken
                    need -= taken
        for k in range(begins, ends):
            if free[k] <= today:
                sellable[p] += left[k]
            else:
                locked[p] += left[k]
