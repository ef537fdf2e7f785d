"""Who gets units for free: a benchmark times an activity level, times the factors of the year; how benchmarks and activity levels move."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.columns import Table, exactly, latest, plain, since, whole
from tonne.rules.declare import rule
from tonne.rules.groups import codes
from tonne.units import NEAREST, IntArray, Rate, fraction, multiply, round_decimal


@rule(
    "benchmark_allocation",
    unit="allowance",
    given={"year": "year", "product": "text", "quantity": "number", "leakage_listed": "boolean", "border_adjusted": "boolean", "sector": "text"},
)
def allocation(
    year: Any,
    product: Any,
    quantity: Any,
    leakage_listed: Any = False,
    border_adjusted: Any = False,
    sector: Any = "",
    *,
    benchmark: Mapping[str, Rate],
    exposure_factor: Table,
    correction_factor: Table,
    benchmark_years: Sequence[int] | None = None,
    exposure_by_sector: Mapping[str, Rate] | None = None,
    border_adjustment_factor: Table | None = None,
    linear_factor: Table | None = None,
    linear_factor_sectors: Collection[str] | None = None,
) -> Any:
    """Free units of each sub-installation: benchmark x historical activity level x exposure x border adjustment x correction, rounded once.

    Directive 2003/87/EC art. 10a. Exposure is 1 on the leakage list, else the year's factor; electricity generators take the linear factor in place
    of the correction. 0.693 x 1,000,000 x 1 x 0.975 x 1 = 675,675. Raises ValueError for a product or a year without a figure in the law in force.
    """
    quantities = whole("an activity level", quantity)
    columns = (quantities, np.asarray(year), np.asarray(product, dtype=object), np.asarray(leakage_listed), np.asarray(border_adjusted))
    shape = np.broadcast_shapes(*(column.shape for column in columns), np.shape(sector))
    numbers, kinds = _kinds(shape, year, product, leakage_listed, border_adjusted, sector)

    def rate(kind: tuple[Any, ...]) -> Fraction:
        y, name, listed, adjusted, trade = kind
        if benchmark_years and not benchmark_years[0] <= int(y) <= benchmark_years[-1]:
            raise ValueError(f"the benchmarks in force serve {benchmark_years[0]} to {benchmark_years[-1]}, not {y}: ask the law of a day in {y}")
        if benchmark.get(name) is None:
            known = ", ".join(sorted(p for p, value in benchmark.items() if value is not None))
            raise ValueError(f"no benchmark for {name!r} in the law in force; there is one for {known}")
        sheltered = (exposure_by_sector or {}).get(trade)
        exposure = 1 if listed else sheltered if sheltered is not None else exactly(exposure_factor, int(y), "exposure factor")
        border = latest(border_adjustment_factor, int(y), 1) if adjusted else 1
        linear = linear_factor is not None and trade in (linear_factor_sectors or ())
        last = exactly(linear_factor or {}, int(y), "linear factor") if linear else exactly(correction_factor, int(y), "correction factor")
        return fraction(benchmark[name]) * fraction(exposure) * fraction(border) * fraction(last)

    return plain(_by_kind(np.broadcast_to(quantities, shape), numbers, [rate(kind) for kind in kinds]))


@rule("benchmark_allocation", unit="number", given={"historical_activity_level": "number", "rolling_mean": "number"})
def activity_level_change(historical_activity_level: Any, rolling_mean: Any, *, activity_change_threshold: Rate) -> Any:
    """The activity level that counts: the two-year rolling mean once it deviates by the threshold or more, else the historical one.

    Regulation (EU) 2019/1842: 15 %. 1,000,000 and 1,150,000 -> 1,150,000; 1,000,000 and 1,149,999 -> 1,000,000.
    """
    before, now = whole("an activity level", historical_activity_level), whole("a rolling mean", rolling_mean)
    share = fraction(activity_change_threshold)
    return plain(np.where(np.abs(now - before) * share.denominator >= before * share.numerator, now, before))


@rule("benchmark_allocation", unit="allowance_per_unit", given={"earlier_benchmark": "allowance_per_unit", "improvement_rate": "ratio"})
def updated_benchmark(earlier_benchmark: Any, improvement_rate: Any, *, update_years: int, improvement_floor: Rate, improvement_ceiling: Rate) -> Any:
    """A benchmark brought up to date: the earlier one less so many years of yearly improvement, the rate held between a floor and a ceiling.

    Directive 2003/87/EC art. 10a(2). As many decimals as the earlier one has. 1.328 x (1 - 15 x 0.002) = 1.28816 -> 1.288; 62.3 x (1 - 15 x 0.016) =
    47.348 -> 47.3.
    """

    def one(first: Any, improvement: Any) -> Decimal:
        held = min(max(fraction(improvement), fraction(improvement_floor)), fraction(improvement_ceiling))
        value = Decimal(first)
        return round_decimal(fraction(value) * (1 - update_years * held), Decimal(1).scaleb(int(value.as_tuple().exponent)), NEAREST)

    if np.ndim(earlier_benchmark) == 0 and np.ndim(improvement_rate) == 0:
        return one(earlier_benchmark, improvement_rate)
    firsts, rates = np.broadcast_arrays(np.asarray(earlier_benchmark, dtype=object), np.asarray(improvement_rate, dtype=object))
    return _objects([one(f, r) for f, r in zip(firsts.ravel(), rates.ravel(), strict=True)]).reshape(firsts.shape)


@rule("benchmark_allocation", unit="ratio", given={"maximum": "allowance", "preliminary_total": "allowance"})
def uniform_correction_factor(maximum: int, preliminary_total: int, *, correction_decimals: int) -> Decimal:
    """The factor that fits all preliminary allocations under the free maximum: their ratio, never above 1 (Directive 2003/87/EC art. 10a(5)).

    780,091,860 / 1,000,000,000 -> 0.78009186; 3 / 2 -> 1.
    """
    ratio = Fraction(1) if preliminary_total <= maximum else Fraction(maximum, preliminary_total)
    return round_decimal(ratio, Decimal(1).scaleb(-correction_decimals), NEAREST)


@rule("aviation_free_share", unit="allowance", given={"year": "year", "aviation_quantity": "allowance"})
def aviation_allocation(year: int, aviation_quantity: Any, *, aviation_free_share: Table) -> Any:
    """Units that aircraft operators get for free in a year: a share of the year's aviation quantity (Directive 2003/87/EC art. 3d and 3e).

    28,900,000 x 0.6375 = 18,423,750. Raises ValueError before the first tabled year.
    """
    share = since(aviation_free_share, int(year), "free share for aviation")
    return multiply(plain(whole("an aviation quantity", aviation_quantity)), share, rounding=NEAREST)


def _by_kind(quantities: IntArray, numbers: IntArray, rates: Sequence[Rate]) -> IntArray:
    """quantity x rate of its kind, rounded once: the rows of a kind are brought together, so that each rate is applied to one stretch."""
    flat, kind = quantities.ravel(), numbers.ravel()
    order = np.argsort(kind, kind="stable")
    ends = np.cumsum(np.bincount(kind, minlength=len(rates)))
    out = np.zeros(flat.shape, dtype=np.int64)
    begin = 0
    for rate, end in zip(rates, ends.tolist(), strict=True):
        rows = order[begin:end]
        out[rows] = multiply(flat[rows], rate, rounding=NEAREST)
        begin = end
    return out.reshape(quantities.shape)


def _kinds(shape: tuple[int, ...], *columns: Any) -> tuple[IntArray, list[tuple[Any, ...]]]:
    """A code for each row and the distinct rows behind the numbers. Columns may be scalars; text is coded by hashing, numbers by sorting."""
    numbers = np.zeros(shape, dtype=np.int64)
    levels: list[list[Any]] = []
    for column in columns:
        if np.ndim(column) == 0:
            levels.append([column.item() if isinstance(column, np.generic) else column])
            continue
        distinct, part = codes(np.asarray(column).ravel())
        numbers = numbers * len(distinct) + part.reshape(np.shape(column))
        levels.append(distinct)
    used, dense = np.unique(numbers, return_inverse=True)
    kinds = []
    for code in used.tolist():
        row: list[Any] = []
        for level in reversed(levels):
            code, place = divmod(code, len(level))
            row.append(level[place])
        kinds.append(tuple(reversed(row)))
    return np.asarray(dense, dtype=np.int64).reshape(shape), kinds


def _objects(values: list[Any]) -> npt.NDArray[np.object_]:
    array: npt.NDArray[np.object_] = np.empty(len(values), dtype=object)
    array[:] = values
    return array
