"""The compiled passes of `settlement.settle`; `settlement.settle_plain` is the same law written plainly, and the tests hold the two to each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.ledger.kernel import compiled


@compiled()
def run_passes(order: Any, sides: Any, units: Any, money: Any, left: Any, free: Any, number: Any) -> Any:
    """Settle what can be, in passes; returns how many there were. `left` (what each slot holds) and `number` are written.

    sides: four rows of slots, (seller, buyer) of the units and (buyer, seller) of the money.
    """
    waiting = order.copy()
    open_, passes, done = len(waiting), 0, 0
    while open_ > 0:
        passes += 1
        kept = 0
        for k in range(open_):
            i = waiting[k]
            gives, pays = sides[0, i], sides[2, i]
            if (free[gives] or left[gives] >= units[i]) and (free[pays] or left[pays] >= money[i]):
                left[gives] -= units[i]
                left[sides[1, i]] += units[i]
                left[pays] -= money[i]
                left[sides[3, i]] += money[i]
                number[i] = done
                done += 1
            else:
                waiting[kept] = i
                kept += 1
        if kept == open_:
            break
        open_ = kept
    return np.int64(passes)
