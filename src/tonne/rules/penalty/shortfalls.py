"""What all fines share: missing units as they come in, money as it goes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.columns import whole
from tonne.units import IntArray

CENT = Decimal("0.01")


def missing_units(shortfall: Any) -> IntArray:
    """The shortfall in whole units; refuses a negative one, which is a surplus, and a fraction."""
    array = whole("a shortfall", shortfall)
    if array.size and array.min() < 0:
        raise ValueError(f"a shortfall of {int(array.min()):,} is a surplus; only missing units are fined")
    return array


def money(cents: Any) -> Any:
    """Cents as Decimal money: one Decimal for one row, an object array for many."""
    array = np.asarray(cents)
    if array.ndim == 0:
        return int(array) * CENT
    amounts: npt.NDArray[np.object_] = np.empty(array.size, dtype=object)
    amounts[:] = [int(c) * CENT for c in array.ravel().tolist()]
    return amounts.reshape(array.shape)
