"""Output times an installation's own past intensity, for the rules that allocate by it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tonne.rules.allocation.own_intensity import times_own


def column(*values: object) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def test_six_decimals_and_more_are_exact() -> None:
    assert times_own(column(1_000), column(Decimal("0.0015")), Fraction(1), "nearest", "x").tolist() == [2]
    assert times_own(column(10**7, 10**7), column("0.12345675", Decimal("0.5")), Fraction(1), "down", "x").tolist() == [1_234_567, 5_000_000]
    assert times_own(column(10**12), column(Decimal("900000.000001")), Fraction(1), "down", "x").tolist() == [900_000_000_001_000_000]
    assert times_own(column(), column(), Fraction(1), "nearest", "x").tolist() == []


def test_a_row_without_an_intensity_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of product 'x' lacks"):
        times_own(column(1), column(None), Fraction(1), "nearest", "x")
