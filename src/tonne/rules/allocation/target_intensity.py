"""Certificates by intensity: a plant's target for each tonne or megawatt-hour it makes, what it achieved, and the difference times its output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import INT64_MAX, NEAREST, Rate, fraction, multiply


@rule("intensity_certificates", unit="credit", given={"target": "number", "achieved": "number", "output": "number"})
def certificates(target: Any, achieved: Any, output: Any) -> dict[str, Any]:
    """Certificates issued to a plant below its target intensity, or to be bought by one above it: the difference x output.

    The national carbon credit trading scheme of 2023 (tonnes of CO2e), and the energy saving certificates before it (tonnes of oil equivalent, with
    the baseline's output). (0.80 - 0.76) x 2,000,000 = 80,000 issued. No certificate for a part of one; a part that is missing costs a whole one.
    """
    made = np.asarray(output)
    if made.size and (made.dtype.kind not in "iu" or made.min() < 0):
        raise ValueError("output is counted in whole numbers, zero or more")
    wanted, reached, made = np.broadcast_arrays(np.asarray(target, dtype=object), np.asarray(achieved, dtype=object), made)
    saved, scale = _difference(wanted.ravel(), reached.ravel())
    rows = made.ravel().astype(object if _is_large(saved, made) else np.int64)
    issued = np.maximum(saved * rows // scale, 0).astype(np.int64).reshape(made.shape)
    to_buy = np.maximum(-(saved * rows // scale), 0).astype(np.int64).reshape(made.shape)
    if made.ndim == 0:
        return {"issued": int(issued), "to_buy": int(to_buy)}
    return {"issued": issued, "to_buy": to_buy}


@rule("target_intensity", unit="ratio", given={"year": "year", "sector": "sector"})
def target_share(year: int, sector: str, *, cut_share_by_year: Mapping[int, Rate], target_cut: Mapping[str, Rate] | None = None) -> Fraction:
    """The part of its baseline intensity that a plant's target leaves in a year: 1 - cut x the shares of the cut that are due by then.

    With a cut of 5 %, 40 % of it due in the first year and 60 % in the second: 0.98, then 0.95. Where no cut is tabled for the sector the target is
    the baseline itself.
    """
    due = sum((fraction(share) for first, share in cut_share_by_year.items() if first <= int(year)), Fraction(0))
    return 1 - fraction((target_cut or {}).get(sector) or 0) * due


@rule(
    "target_intensity",
    unit="allowance",
    given={"year": "year", "sector": "sector", "product": "product", "quantity": "number", "intensity": "number"},
)
def allocation(
    year: int,
    sector: Any,
    product: Any = "",
    quantity: Any = 0,
    intensity: Any = None,
    *,
    cut_share_by_year: Mapping[int, Rate],
    target_cut: Mapping[str, Rate] | None = None,
    baseline_intensity: Mapping[str, Rate] | None = None,
) -> Any:
    """What a plant may emit at its output of the year: output x baseline intensity x the part that its target leaves, to the nearest tonne.

    The baseline is tabled by product, or comes with the row as the plant's own. 2,000,000 x 0.8163 x 0.98 = 1,599,948. Raises ValueError for a row
    that has neither.
    """
    shape, (sectors, products, amounts, own) = broadcast(sector, product, quantity, intensity)
    tonnes, tabled = np.zeros(amounts.shape, dtype=np.int64), baseline_intensity or {}
    for rows, (s, p, of_plant) in row_groups(sectors, products, own):
        baseline = tabled[p] if tabled.get(p) is not None else of_plant
        if baseline is None:
            raise ValueError(f"no baseline intensity for product {p!r}, tabled or of the plant's own")
        left = target_share(int(year), s, cut_share_by_year=cut_share_by_year, target_cut=target_cut)
        tonnes[rows] = multiply(amounts[rows].astype(np.int64), fraction(baseline) * left, rounding=NEAREST)
    return plain(tonnes.reshape(shape))


def _difference(wanted: Any, reached: Any) -> tuple[Any, int]:
    """wanted - reached as whole numbers of one common part, and how many such parts make one."""
    columns = []
    for column in (wanted, reached):
        values = column.tolist()
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        columns.append(([fraction(value) for value in numbers], np.fromiter((numbers[v] for v in values), dtype=np.int64, count=len(values))))
    scale = math.lcm(1, *(rate.denominator for rates, _ in columns for rate in rates))
    parts = [np.array([rate.numerator * (scale // rate.denominator) for rate in rates], dtype=object)[index] for rates, index in columns]
    difference = parts[0] - parts[1]
    fits = all(abs(value) <= INT64_MAX for value in (difference.max(initial=0), difference.min(initial=0))) and scale <= INT64_MAX
    return (difference.astype(np.int64) if fits else difference), scale


def _is_large(saved: Any, made: Any) -> bool:
    """Whether the products leave 64 bits, so that Python's own whole numbers are needed."""
    largest = max(abs(int(saved.max(initial=0))), abs(int(saved.min(initial=0))))
    return saved.dtype == object or largest * int(made.max(initial=0)) > INT64_MAX
