"""Numbers drawn by seed: the one source of "random" order in the market.

SplitMix64 (Steele, Lea and Flood, 2014) in pure 64-bit integers: the same seed gives the same numbers on every machine and in every release, so that
an auction's random ties can be drawn again by anybody who knows the seed. Numbers of one seed never repeat: each place has its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = (1 << 64) - 1


def draws(seed: int, n: int) -> npt.NDArray[np.uint64]:
    """The first n numbers of 64 bits; seed 0 begins 16294208416658607535, 7960286522194355700. Any whole number is a seed."""
    return drawn(seed, np.arange(n, dtype=np.uint64))


def drawn(seed: int, places: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """The numbers at some places of a seed's row, the first place being 0: drawn(s, [2]) is the third of draws(s, 3)."""
    z = np.uint64(seed & _MASK) + (np.asarray(places).astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_SECOND)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
