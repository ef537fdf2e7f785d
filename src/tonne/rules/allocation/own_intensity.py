"""Output times an installation's own past intensity, for the rules that allocate by it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.units import Rounding, fraction, multiply

MILLION = 10**6


def times_own(quantity: Any, intensity: Any, share: Fraction, rounding: str, product: str) -> Any:
    """Output x the row's own intensity x a share. Intensities of up to six decimals are multiplied as whole millionths, all at once.

    Raises ValueError where a row lacks its intensity.
    """
    values = intensity.tolist()
    if any(value is None for value in values):
        raise ValueError(f"a row of product {product!r} lacks the installation's own past intensity")
    exact = [fraction(value) * MILLION if isinstance(value, str) else value * MILLION for value in values]
    if all(value == int(value) for value in exact):
        millionths = np.array([int(value) for value in exact], dtype=object) * quantity
        fits = not millionths.size or int(millionths.max()) < 2**62
        return multiply(millionths.astype(np.int64) if fits else millionths, share / MILLION, rounding=Rounding(rounding))
    rows = zip(quantity.tolist(), exact, strict=True)
    return np.array([multiply(int(q), fraction(value) * share / MILLION, rounding=Rounding(rounding)) for q, value in rows], dtype=np.int64)
