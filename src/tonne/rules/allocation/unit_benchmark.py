"""Allocation that follows output: benchmarks of power and heat by unit class, and the factors of load, cooling and heat.

The cap of such a system is the sum of what these rules give, known only after the year. Units are whole; benchmarks and factors are decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import numpy as np

from tonne.rules.allocation.balanced_intensity import band_law, solve_balance, units_by_intensity
from tonne.rules.allocation.rows import DIGITS, as_columns, as_decimal, as_given, known_entry, products_down, row_of_year, whole_numbers
from tonne.rules.declare import rule
from tonne.rules.groups import codes
from tonne.units import NEAREST, IntArray, Rate, fraction, round_decimal

_COLUMNS = {"year": "year", "sector": "sector", "product": "product"}


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={
        **_COLUMNS,
        "quantity": "MWh",
        "heat_gj": "GJ",
        "load": "ratio",
        "verified": "allowance",
        "intensity": "tCO2e_per_tonne_product",
        "heat_ratio": "ratio",
        "air_cooled": "boolean",
    },
)
def allocation(
    year: Any,
    sector: Any,
    product: Any = "",
    quantity: Any = 0,
    heat_gj: Any = 0,
    load: Any = 1,
    verified: Any = 0,
    intensity: Any = None,
    heat_ratio: Any = 0,
    air_cooled: Any = False,
    *,
    allocation_method: Mapping[int, Mapping[str, str]],
    power_benchmark: Mapping[int, Mapping[str, Rate]],
    heat_benchmark: Mapping[int, Mapping[str, Rate]],
    heat_fuel: Mapping[str, str],
    load_factor_formula: Mapping[int, Mapping[str, Any]],
    cooling_factor: Mapping[int, Mapping[str, Rate]] | None = None,
    heat_factor_slope: Mapping[int, Mapping[str, Rate]] | None = None,
    as_verified_cases: Mapping[int, Sequence[str]] | None = None,
    intensity_slope: Rate | None = None,
    intensity_band: Rate | None = None,
    intensity_limit: Rate | None = None,
) -> Any:
    """Free units of each row before the exemptions, by the method of its sector in that year (plans of October 2024 and November 2025).

    `unit_benchmark`: 3,000,000 x 0.7910 x 1.061364 -> 2,518,616 for power, 2,000,000 x 0.1033 = 206,600 for heat, together 2,725,216.
    `as_verified`, and a product that is a special case of the year: the verified emissions. `balanced_intensity`: E x (1 + alpha), the balance
    value solved over the rows of the sector. `outside`: 0, the sector is not yet in the system.
    """
    single, columns = as_columns(year, sector, product, verified, intensity, quantity, heat_gj, load, heat_ratio, air_cooled)
    year, sector, product, verified, intensity = columns[:5]
    methods = _methods(year, sector, product, allocation_method, as_verified_cases or {})
    units = np.where(methods == "as_verified", whole_numbers(verified), 0)
    for one in dict.fromkeys(zip(year.tolist(), sector.tolist(), strict=True)):
        rows = np.flatnonzero((year == one[0]) & (sector == one[1]) & (methods == "unit_benchmark"))
        if rows.size:
            quantity, heat_gj, load, heat_ratio, air_cooled = (c[rows] for c in columns[5:])
            units[rows] = heat_allocation(heat_gj, product[rows], one[0], heat_benchmark=heat_benchmark, heat_fuel=heat_fuel)
            units[rows] += power_allocation(
                quantity,
                product[rows],
                one[0],
                load_factor(load, one[0], product[rows], heat_ratio, load_factor_formula=load_factor_formula),
                heat_ratio,
                air_cooled,
                power_benchmark=power_benchmark,
                heat_fuel=heat_fuel,
                cooling_factor=cooling_factor,
                heat_factor_slope=heat_factor_slope,
            )
        rows = np.flatnonzero((year == one[0]) & (sector == one[1]) & (methods == "balanced_intensity"))
        if rows.size:
            law = band_law(intensity_slope, intensity_band, intensity_limit)
            units[rows] = units_by_intensity(verified[rows], intensity[rows], solve_balance(verified[rows], intensity[rows], *law), *law)
    return as_given(units, single)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"quantity": "MWh", "product": "product", "year": "year", "factor": "ratio", "heat_ratio": "ratio", "air_cooled": "boolean"},
)
def power_allocation(
    quantity: Any,
    product: Any,
    year: int,
    factor: Any = 1,
    heat_ratio: Any = 0,
    air_cooled: Any = False,
    *,
    power_benchmark: Mapping[int, Mapping[str, Rate]],
    heat_fuel: Mapping[str, str],
    cooling_factor: Mapping[int, Mapping[str, Rate]] | None = None,
    heat_factor_slope: Mapping[int, Mapping[str, Rate]] | None = None,
) -> Any:
    """Units for power: output x benchmark x cooling factor x heat factor x load factor, rounded down (plan 2023-24, annexes 3 and 4).

    Output is net supply to 2022 and gross generation from 2023; cooling and heat factors end with 2022.
    1,500,000 MWh x 0.8049 x 1 = 1,207,350.
    """
    single, (quantity, product, factor, heat_ratio, air_cooled) = as_columns(quantity, product, factor, heat_ratio, air_cooled)
    benchmarks, of_product = codes(product)
    base = row_of_year(power_benchmark, year, "power benchmark")
    rates = [([known_entry(base, name, "unit class") for name in benchmarks], of_product), codes(factor)]
    cooling = (cooling_factor or {}).get(year)
    if cooling:
        rates.append(([cooling["water"], cooling["air"]], air_cooled.astype(bool).astype(np.int64)))
    slopes = (heat_factor_slope or {}).get(year)
    if slopes:
        ratios, of_ratio = codes(heat_ratio)
        pairs, of_pair = _pairs(of_product, of_ratio, len(ratios))
        falls = [1 - fraction(slopes[known_entry(heat_fuel, benchmarks[p], "unit class")]) * fraction(ratios[r]) for p, r in pairs]
        rates.append((falls, of_pair))
    return as_given(products_down(quantity, rates), single)


@rule("unit_benchmark_allocation", unit="allowance", given={"heat_gj": "GJ", "product": "product", "year": "year"})
def heat_allocation(
    heat_gj: Any,
    product: Any,
    year: int,
    *,
    heat_benchmark: Mapping[int, Mapping[str, Rate]],
    heat_fuel: Mapping[str, str],
) -> Any:
    """Units for heat: heat supplied x the benchmark of the unit's fuel, rounded down (plan 2023-24, annexes 3 and 4).

    2,000,000 GJ x 0.1033 = 206,600.
    """
    single, (heat_gj, product) = as_columns(heat_gj, product)
    names, of_product = codes(product)
    base = row_of_year(heat_benchmark, year, "heat benchmark")
    return as_given(products_down(heat_gj, [([base[known_entry(heat_fuel, name, "unit class")] for name in names], of_product)]), single)


@rule("unit_benchmark_allocation", unit="ratio", given={"load": "ratio", "year": "year", "product": "product", "heat_ratio": "ratio"})
def load_factor(load: Any, year: int, product: Any, heat_ratio: Any = 0, *, load_factor_formula: Mapping[int, Mapping[str, Any]]) -> Any:
    """What a unit's allocation is multiplied by because it ran at part load, rounded half up (plan 2023-24, annex 3, table 1).

    1.015 ** (16 - 20 x 0.60) = 1.061363550625 -> 1.061364; from the full-load threshold on the factor is 1, and it jumps there.
    Without a load (None) it is 1.
    The year's row names the method: `power_of_base`, `piecewise` or `exponential`, its figures and the classes that have it.
    """
    law = row_of_year(load_factor_formula, year, "load factor")
    single, (load, product, heat_ratio) = as_columns(load, product, heat_ratio)
    loads, of_load = codes(load)
    values = np.empty(len(loads) + 1, dtype=object)
    values[:] = [Decimal(1) if f is None else _FORMULAS[law["method"]](_decimal(f), law) for f in loads] + [Decimal(1)]
    names, of_product = codes(product)
    eligible = np.array([name in law["classes"] for name in names], dtype=bool)[of_product]
    if not law.get("with_heat", True):
        ratios, of_ratio = codes(heat_ratio)
        eligible &= np.array([_decimal(r) == 0 for r in ratios], dtype=bool)[of_ratio]
    return as_given(values[np.where(eligible, of_load, len(loads))], single)


@rule(
    "unit_benchmark_allocation",
    unit="product",
    given={"rated_mw": "MW", "fuel": "fuel", "fluidised_bed": "boolean", "special_coal_share": "ratio"},
)
def unit_class(
    rated_mw: Any, fuel: Any, fluidised_bed: Any = False, special_coal_share: Any = 0, *, class_rated_mw: Rate, special_coal_from: Rate
) -> Any:
    """The class of a generating unit (plan 2023-24, annex 1): gas; fluidised bed or mostly special coal; other coal by rated power.

    660 MW of ordinary coal -> coal_conventional_gt300 (660 >= 400); 330 MW -> coal_conventional_le300.
    """
    single, (rated_mw, fuel, fluidised_bed, special_coal_share) = as_columns(rated_mw, fuel, fluidised_bed, special_coal_share)
    powers, of_power = codes(rated_mw)
    shares, of_share = codes(special_coal_share)
    large = np.array([fraction(p) >= fraction(class_rated_mw) for p in powers], dtype=bool)[of_power]
    special = np.array([fraction(s) > fraction(special_coal_from) for s in shares], dtype=bool)[of_share] | fluidised_bed.astype(bool)
    fuels, of_fuel = codes(fuel)
    unknown = sorted(set(fuels) - {"coal", "gas"})
    if unknown:
        raise ValueError(f"unknown fuel {unknown[0]!r}; a unit class is known for coal, gas")
    names = np.array(["coal_conventional_le300", "coal_conventional_gt300", "coal_unconventional_or_cfb", "gas"], dtype=object)
    gas = np.array([f == "gas" for f in fuels], dtype=bool)[of_fuel]
    return as_given(names[np.where(gas, 3, np.where(special, 2, large.astype(np.int64)))], single)


@rule("unit_benchmark_allocation", unit="product", given={"product": "product", "year": "year"})
def merged_class(product: Any, year: int, *, power_benchmark: Mapping[int, Mapping[str, Rate]]) -> str:
    """The class of units that report together: the least favourable one, that with the lowest benchmark (plan 2023-24, annex 1, note 1).

    0.7910 < 0.8049 -> coal_conventional_gt300.
    """
    base = row_of_year(power_benchmark, year, "power benchmark")
    return str(min(codes(np.atleast_1d(np.asarray(product, dtype=object)))[0], key=lambda name: fraction(known_entry(base, name, "unit class"))))


@rule(
    "unit_benchmark_allocation",
    unit="percent",
    given={"product": "product", "year": "year", "against": "year", "kind": "text", "decimals": "number"},
)
def benchmark_change(
    product: str,
    year: int,
    against: int | str = "balance",
    kind: str = "power",
    decimals: int = 2,
    *,
    power_benchmark: Mapping[int, Mapping[str, Rate]],
    heat_benchmark: Mapping[int, Mapping[str, Rate]],
    power_balance: Mapping[int, Mapping[str, Rate]],
    heat_balance: Mapping[int, Mapping[str, Rate]],
) -> Decimal:
    """A benchmark against that of another year, or against the year's balance value, in per cent, rounded to nearest.

    0.8218 / 0.877 - 1 = -0.0629... -> -6.29.
    """
    base, balance = (power_benchmark, power_balance) if kind == "power" else (heat_benchmark, heat_balance)
    reference = row_of_year(balance, year, f"{kind} balance value") if against == "balance" else row_of_year(base, int(against), f"{kind} benchmark")
    new = fraction(known_entry(row_of_year(base, year, f"{kind} benchmark"), product, "class"))
    change = (new / fraction(known_entry(reference, product, "class")) - 1) * 100
    return round_decimal(change, Decimal(1).scaleb(-decimals), NEAREST)


def _methods(year: Any, sector: Any, product: Any, table: Mapping[int, Mapping[str, str]], special: Mapping[int, Sequence[str]]) -> Any:
    """The method of each row: its sector's in its year, unless the product is a special case of that year. `outside` is a method too: no units."""
    years, of_year = codes(year)
    names, of_sector = codes(sector)
    products, of_product = codes(product)
    grid = np.array([[table.get(y, {}).get(s, "") for s in names] for y in years], dtype=object).reshape(len(years), len(names))
    exempt = np.array([[p in special.get(y, ()) for p in products] for y in years], dtype=bool).reshape(len(years), len(products))
    found = grid[of_year, of_sector]
    if np.any(found == ""):
        first = int(np.flatnonzero(found == "")[0])
        there = ", ".join(f"{y} {s}" for y, row in table.items() for s in row)
        raise ValueError(f"no allocation method for {sector[first]!r} in {year[first]}; the law of this day has {there}")
    return np.where(exempt[of_year, of_product] & (found != "outside"), "as_verified", found)


def _pairs(first: IntArray, second: IntArray, width: int) -> tuple[list[tuple[int, int]], IntArray]:
    """The distinct pairs of two codings, and for each row which of them it is."""
    keys, places = np.unique(first * width + second, return_inverse=True)
    return [divmod(int(k), width) for k in keys], np.asarray(places, dtype=np.int64)


def _exponential(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """constant - sum of size x (1 - exp(-load in per cent / scale)) below the threshold, 1 from it on."""
    if load >= law["full_from"]:
        return Decimal(1)
    with localcontext() as context:
        context.prec = DIGITS
        falls = (size * (1 - (-load * 100 / scale).exp()) for size, scale in law["terms"])
        return _half_up(law["constant"] - sum(falls, Decimal(0)), law["decimals"])


def _half_up(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _piecewise(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """Straight lines in the bands [from, to, value at `to`, rise for each point of load below `to`], the power of the base below them, 1 above."""
    for low, high, value, rise in law["bands"]:
        if low <= load < high:
            return _half_up(value + rise * 100 * (high - load), law["decimals"])
    return _power_of_base(load, law)


def _power_of_base(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """base ** (constant - slope x load) below the threshold, 1 from it on."""
    if load >= law["full_from"]:
        return Decimal(1)
    with localcontext() as context:
        context.prec = DIGITS
        return _half_up(law["base"] ** (law["constant"] - law["slope"] * load), law["decimals"])


def _decimal(value: Any) -> Decimal:
    """A load or share as an exact decimal; floats are refused."""
    if isinstance(value, Decimal):
        return value
    exact = fraction(int(value) if isinstance(value, np.integer) else value)
    return as_decimal(exact)


_FORMULAS: dict[str, Callable[[Decimal, Mapping[str, Any]], Decimal]] = {
    "power_of_base": _power_of_base,
    "piecewise": _piecewise,
    "exponential": _exponential,
}
