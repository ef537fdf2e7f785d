"""Allocation that follows output: benchmarks by unit class, intensity balanced within a sector, and the corrections on the way to the final figure.

The cap of such a system is the sum of what these rules give, known only after the year. Units are whole; benchmarks and factors are decimals.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.declare import rule
from tonne.units import DOWN, INT64_MAX, NEAREST, IntArray, Rate, UnitsError, fraction, multiply, round_decimal

_COLUMNS = {"year": "year", "sector": "sector", "product": "product"}
_DIGITS = 50


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
    single, columns = _rows(year, sector, product, verified, intensity, quantity, heat_gj, load, heat_ratio, air_cooled)
    year, sector, product, verified, intensity = columns[:5]
    methods = _methods(year, sector, product, allocation_method, as_verified_cases or {})
    units = np.where(methods == "as_verified", _whole(verified), 0)
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
            law = _band_law(intensity_slope, intensity_band, intensity_limit)
            units[rows] = _by_intensity(verified[rows], intensity[rows], _balance(verified[rows], intensity[rows], *law), *law)
    return _back(units, single)


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
    single, (quantity, product, factor, heat_ratio, air_cooled) = _rows(quantity, product, factor, heat_ratio, air_cooled)
    benchmarks, of_product = _codes(product)
    base = _row_of(power_benchmark, year, "power benchmark")
    rates = [([_known(base, name, "unit class") for name in benchmarks], of_product), _codes(factor)]
    cooling = (cooling_factor or {}).get(year)
    if cooling:
        rates.append(([cooling["water"], cooling["air"]], air_cooled.astype(bool).astype(np.int64)))
    slopes = (heat_factor_slope or {}).get(year)
    if slopes:
        ratios, of_ratio = _codes(heat_ratio)
        pairs, of_pair = _pairs(of_product, of_ratio, len(ratios))
        falls = [1 - fraction(slopes[_known(heat_fuel, benchmarks[p], "unit class")]) * fraction(ratios[r]) for p, r in pairs]
        rates.append((falls, of_pair))
    return _back(_products(quantity, rates), single)


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
    single, (heat_gj, product) = _rows(heat_gj, product)
    names, of_product = _codes(product)
    base = _row_of(heat_benchmark, year, "heat benchmark")
    return _back(_products(heat_gj, [([base[_known(heat_fuel, name, "unit class")] for name in names], of_product)]), single)


@rule("unit_benchmark_allocation", unit="ratio", given={"load": "ratio", "year": "year", "product": "product", "heat_ratio": "ratio"})
def load_factor(load: Any, year: int, product: Any, heat_ratio: Any = 0, *, load_factor_formula: Mapping[int, Mapping[str, Any]]) -> Any:
    """What a unit's allocation is multiplied by because it ran at part load, rounded half up (plan 2023-24, annex 3, table 1).

    1.015 ** (16 - 20 x 0.60) = 1.061363550625 -> 1.061364; from the full-load threshold on the factor is 1, and it jumps there.
    Without a load (None) it is 1.
    The year's row names the method: `power_of_base`, `piecewise` or `exponential`, its figures and the classes that have it.
    """
    law = _row_of(load_factor_formula, year, "load factor")
    single, (load, product, heat_ratio) = _rows(load, product, heat_ratio)
    loads, of_load = _codes(load)
    values = np.empty(len(loads) + 1, dtype=object)
    values[:] = [Decimal(1) if f is None else _FORMULAS[law["method"]](_decimal(f), law) for f in loads] + [Decimal(1)]
    names, of_product = _codes(product)
    eligible = np.array([name in law["classes"] for name in names], dtype=bool)[of_product]
    if not law.get("with_heat", True):
        ratios, of_ratio = _codes(heat_ratio)
        eligible &= np.array([_decimal(r) == 0 for r in ratios], dtype=bool)[of_ratio]
    return _back(values[np.where(eligible, of_load, len(loads))], single)


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
    single, (rated_mw, fuel, fluidised_bed, special_coal_share) = _rows(rated_mw, fuel, fluidised_bed, special_coal_share)
    powers, of_power = _codes(rated_mw)
    shares, of_share = _codes(special_coal_share)
    large = np.array([fraction(p) >= fraction(class_rated_mw) for p in powers], dtype=bool)[of_power]
    special = np.array([fraction(s) > fraction(special_coal_from) for s in shares], dtype=bool)[of_share] | fluidised_bed.astype(bool)
    fuels, of_fuel = _codes(fuel)
    unknown = sorted(set(fuels) - {"coal", "gas"})
    if unknown:
        raise ValueError(f"unknown fuel {unknown[0]!r}; a unit class is known for coal, gas")
    names = np.array(["coal_conventional_le300", "coal_conventional_gt300", "coal_unconventional_or_cfb", "gas"], dtype=object)
    gas = np.array([f == "gas" for f in fuels], dtype=bool)[of_fuel]
    return _back(names[np.where(gas, 3, np.where(special, 2, large.astype(np.int64)))], single)


@rule("unit_benchmark_allocation", unit="product", given={"product": "product", "year": "year"})
def merged_class(product: Any, year: int, *, power_benchmark: Mapping[int, Mapping[str, Rate]]) -> str:
    """The class of units that report together: the least favourable one, that with the lowest benchmark (plan 2023-24, annex 1, note 1).

    0.7910 < 0.8049 -> coal_conventional_gt300.
    """
    base = _row_of(power_benchmark, year, "power benchmark")
    return str(min(_codes(np.atleast_1d(np.asarray(product, dtype=object)))[0], key=lambda name: fraction(_known(base, name, "unit class"))))


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
    reference = _row_of(balance, year, f"{kind} balance value") if against == "balance" else _row_of(base, int(against), f"{kind} benchmark")
    new = fraction(_known(_row_of(base, year, f"{kind} benchmark"), product, "class"))
    change = (new / fraction(_known(reference, product, "class")) - 1) * 100
    return round_decimal(change, Decimal(1).scaleb(-decimals), NEAREST)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"previous_verified": "allowance", "year": "year", "sector": "sector", "reference": "allowance"},
)
def pre_allocation(
    previous_verified: Any,
    year: int,
    sector: Any = "power",
    reference: Any = None,
    *,
    pre_allocation_share: Mapping[int, Mapping[str, Rate]],
    pre_allocation_base: Mapping[int, str],
) -> Any:
    """Units issued before the year's figures are verified: a share of last year's verified emissions, the rest dropped (plan 2023-24, part 5).

    Where the year's base is `reference` the share is of the benchmark allocation on the output of a reference year, given as `reference`.
    1,789.7 -> 1,789. A sector without a share gets 0.
    """
    base = previous_verified
    if pre_allocation_base.get(year) == "reference":
        if reference is None:
            raise ValueError(f"the pre-allocation of {year} is a share of an allocation on earlier output: give it as `reference`")
        base = reference
    single, (base, sector) = _rows(base, sector)
    sectors, of_sector = _codes(sector)
    shares = pre_allocation_share.get(year, {})
    return _back(_products(base, [([shares.get(s, 0) for s in sectors], of_sector)]), single)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"initial": "allowance", "verified": "allowance", "product": "product", "entity": "entity"},
)
def final_allocation(initial: Any, verified: Any, product: Any = "", entity: Any = None, *, exempt_products: Sequence[str], gap_limit: Rate) -> Any:
    """Units of each row after the exemptions: first the unit's, then the limit on the entity's gap (plan 2023-24, part 5(3)).

    A gas unit with 300,000 against 320,000 verified gets 320,000.
    """
    single, (initial, verified, product) = _rows(initial, verified, product)
    units = _whole(initial) + exemption_top_up(initial, verified, product, exempt_products=exempt_products)
    return _back(units + gap_top_up(units, verified, entity, gap_limit=gap_limit), single)


@rule("unit_benchmark_allocation", unit="allowance", given={"initial": "allowance", "verified": "allowance", "product": "product"})
def exemption_top_up(initial: Any, verified: Any, product: Any, *, exempt_products: Sequence[str]) -> Any:
    """What a unit of an exempt class gets on top so that it is never short (plan 2023-24, part 5(3)1); a surplus is kept.

    320,000 - 300,000 = 20,000.
    """
    single, (initial, verified, product) = _rows(initial, verified, product)
    names, of_product = _codes(product)
    exempt = np.array([name in exempt_products for name in names], dtype=bool)[of_product]
    return _back(np.where(exempt, np.maximum(_whole(verified) - _whole(initial), 0), 0), single)


@rule("unit_benchmark_allocation", unit="allowance", given={"initial": "allowance", "verified": "allowance", "entity": "entity"})
def gap_top_up(initial: Any, verified: Any, entity: Any = None, *, gap_limit: Rate) -> Any:
    """What an entity gets on top so that its gap is not more than a share of its verified emissions, whole tonnes (plan 2023-24, part 5(3)2).

    700,000 against 1,000,000 verified: 800,000 - 700,000 = 100,000. It stands in the entity's first row; without `entity` each row is its own.
    """
    single, (initial, verified) = _rows(initial, verified)
    initial, verified = _whole(initial), _whole(verified)
    if entity is None:
        first, owner = np.arange(initial.size), np.arange(initial.size)
    else:
        names, owner = _codes(np.broadcast_to(np.atleast_1d(np.asarray(entity, dtype=object)), initial.shape))
        first = np.full(len(names), initial.size, dtype=np.int64)
        np.minimum.at(first, owner, np.arange(initial.size))
    held, emitted = np.zeros(first.size, dtype=np.int64), np.zeros(first.size, dtype=np.int64)
    np.add.at(held, owner, initial)
    np.add.at(emitted, owner, verified)
    units = np.zeros(initial.size, dtype=np.int64)
    units[first] = np.maximum(multiply(emitted, 1 - fraction(gap_limit), rounding=DOWN) - held, 0)
    return _back(units, single)


@rule("unit_benchmark_allocation", unit="percent", given={"allocated": "allowance", "verified": "allowance"})
def gap_rate(allocated: Any, verified: Any, *, gap_rate_decimals: int) -> Any:
    """The gap of an entity as per cent of its verified emissions, rounded half up; 0 where nothing was emitted (draft 2025-26, table 2-5, note 3).

    (1,000,000 - 700,000) / 1,000,000 = 30.00 %.
    """
    single, (allocated, verified) = _rows(allocated, verified)
    verified = _whole(verified)
    gap = (verified - _whole(allocated)).astype(object)
    # 100 x gap / verified in the last decimal's units, half up by size: twice the value plus one, halved.
    size = (200 * 10**gap_rate_decimals * abs(gap) // np.where(verified == 0, 1, verified) + 1) // 2
    halves = np.where(verified == 0, 0, np.where(gap < 0, -size, size))
    rates = np.frompyfunc(lambda r: Decimal(r).scaleb(-gap_rate_decimals), 1, 1)(halves)
    return _back(rates, single)


@rule("unit_benchmark_allocation", unit="allowance", given={"pre_allocated": "allowance", "final": "allowance", "to_deduct": "allowance"})
def deduction_settlement(pre_allocated: Any, final: Any, to_deduct: Any) -> dict[str, Any]:
    """Arrears and corrections taken from an allocation: first from the pre-allocation, then from the rest; what was too much goes back.

    Draft plan 2025-26, table 2-5, notes 5 to 8. Pre-allocation 50,000, final 30,000, to deduct 70,000: 50,000 taken at first, 20,000
    of it returned, 70,000 - 30,000 = 40,000 left for later.
    `final_issued` below zero is what has to be handed back.
    """
    single, (pre_allocated, final, to_deduct) = _rows(pre_allocated, final, to_deduct)
    pre_allocated, final, to_deduct = _whole(pre_allocated), _whole(final), _whole(to_deduct)
    first = np.minimum(pre_allocated, to_deduct)
    kept = np.minimum(final, to_deduct)
    return {
        "pre_issued": _back(pre_allocated - first, single),
        "returned_deduction": _back(np.maximum(first - kept, 0), single),
        "final_issued": _back(final - kept - (pre_allocated - first), single),
        "still_to_deduct": _back(to_deduct - kept, single),
    }


@rule("unit_benchmark_allocation", unit="allowance", given={"issued": "allowance", "owed": "allowance"})
def forced_surrender(issued: Any, owed: Any) -> dict[str, Any]:
    """What the authority does with units it holds back from an entity at risk: surrender first, then release (draft 2025-26, table 2-5, note 9).

    1,200,000 issued against 1,000,000 owed: 200,000 released. 800,000 against 1,000,000: 200,000 to be added by the entity.
    """
    single, (issued, owed) = _rows(issued, owed)
    issued, owed = _whole(issued), _whole(owed)
    return {
        "surrendered": _back(np.minimum(issued, owed), single),
        "released": _back(np.maximum(issued - owed, 0), single),
        "must_add": _back(np.maximum(owed - issued, 0), single),
    }


@rule("unit_benchmark_allocation", unit="tCO2e_per_tonne_product", given={"verified": "allowance", "intensity": "tCO2e_per_tonne_product"})
def balance_value(verified: Any, intensity: Any, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate) -> Decimal | None:
    """The intensity at which what a sector's plants receive equals what they emitted (draft plan 2025-26, part 3(2)2). None where nobody emits.

    1,000,000 at 1.5, 2,000,000 at 1.6, 1,000,000 at 1.8: 6,500,000 / 4,000,000 = 1.625.
    """
    _, (verified, intensity) = _rows(verified, intensity)
    balance = _balance(verified, intensity, *_band_law(intensity_slope, intensity_band, intensity_limit))
    return None if balance is None else _as_decimal(balance)


@rule("unit_benchmark_allocation", unit="ratio", given={"intensity": "tCO2e_per_tonne_product", "balance": "tCO2e_per_tonne_product"})
def intensity_coefficient(intensity: Any, balance: Rate, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate) -> Any:
    """What a plant gets above or below its emissions, as a ratio (draft plan 2025-26, table 3).

    Intensity 1.2 against 1.6: (1.6 - 1.2) / 1.6 = 25 %, at or above 20 %, so 0.03; inside the band 0.15 x the deviation.
    """
    single, (intensity,) = _rows(intensity)
    law = _band_law(intensity_slope, intensity_band, intensity_limit)
    distinct, codes = _codes(intensity)
    values = np.empty(len(distinct), dtype=object)
    values[:] = [_as_decimal(_coefficient(fraction(i), fraction(balance), *law)) for i in distinct]
    return _back(values[codes], single)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"verified": "allowance", "intensity": "tCO2e_per_tonne_product", "balance": "tCO2e_per_tonne_product"},
)
def intensity_allocation(
    verified: Any, intensity: Any, balance: Rate | None = None, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate
) -> Any:
    """Units of plants of one sector, E x (1 + alpha), rounded down; without a balance value it is solved over the rows (draft 2025-26).

    1,000,000 x (1 + 0.15 x (1.625 - 1.5) / 1.625) = 1,011,538.46 -> 1,011,538.
    """
    single, (verified, intensity) = _rows(verified, intensity)
    law = _band_law(intensity_slope, intensity_band, intensity_limit)
    at = _balance(verified, intensity, *law) if balance is None else fraction(balance)
    return _back(_by_intensity(verified, intensity, at, *law), single)


@rule("emission_threshold", unit="boolean", given={"sector": "sector", "emissions": "tCO2e"})
def is_covered(sector: Any, emissions: Any, *, covered_emissions_from: Mapping[str, int]) -> Any:
    """Whether an entity is put on the list: its sector is in the system and its yearly emissions reach the threshold (Order 19 art. 8).

    26,000 tCO2e in power -> yes, 25,999 -> no; a sector without a threshold in force -> no.
    """
    single, (sector, emissions) = _rows(sector, emissions)
    sectors, of_sector = _codes(sector)
    never = INT64_MAX
    limits = np.array([never if covered_emissions_from.get(s) is None else covered_emissions_from[s] for s in sectors], dtype=np.int64)
    return _back(_whole(emissions) >= limits[of_sector], single)


@rule("emission_threshold", unit="boolean", given={"sector": "sector", "emissions": "tCO2e", "emissions_before": "tCO2e"})
def leaves_list(sector: Any, emissions: Any, emissions_before: Any, *, covered_emissions_from: Mapping[str, int]) -> Any:
    """Whether an entity is taken off the list: below the threshold in two years running (Order 19 art. 11). 25,999 after 25,000 -> yes."""
    now = is_covered(sector, emissions, covered_emissions_from=covered_emissions_from)
    before = is_covered(sector, emissions_before, covered_emissions_from=covered_emissions_from)
    return np.logical_not(now) & np.logical_not(before) if isinstance(now, np.ndarray) or isinstance(before, np.ndarray) else not (now or before)


def _methods(year: Any, sector: Any, product: Any, table: Mapping[int, Mapping[str, str]], special: Mapping[int, Sequence[str]]) -> Any:
    """The method of each row: its sector's in its year, unless the product is a special case of that year. `outside` is a method too: no units."""
    years, of_year = _codes(year)
    names, of_sector = _codes(sector)
    products, of_product = _codes(product)
    grid = np.array([[table.get(y, {}).get(s, "") for s in names] for y in years], dtype=object).reshape(len(years), len(names))
    exempt = np.array([[p in special.get(y, ()) for p in products] for y in years], dtype=bool).reshape(len(years), len(products))
    found = grid[of_year, of_sector]
    if np.any(found == ""):
        first = int(np.flatnonzero(found == "")[0])
        there = ", ".join(f"{y} {s}" for y, row in table.items() for s in row)
        raise ValueError(f"no allocation method for {sector[first]!r} in {year[first]}; the law of this day has {there}")
    return np.where(exempt[of_year, of_product] & (found != "outside"), "as_verified", found)


def _power_of_base(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """base ** (constant - slope x load) below the threshold, 1 from it on."""
    if load >= law["full_from"]:
        return Decimal(1)
    with localcontext() as context:
        context.prec = _DIGITS
        return _half_up(law["base"] ** (law["constant"] - law["slope"] * load), law["decimals"])


def _piecewise(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """Straight lines in the bands [from, to, value at `to`, rise for each point of load below `to`], the power of the base below them, 1 above."""
    for low, high, value, rise in law["bands"]:
        if low <= load < high:
            return _half_up(value + rise * 100 * (high - load), law["decimals"])
    return _power_of_base(load, law)


def _exponential(load: Decimal, law: Mapping[str, Any]) -> Decimal:
    """constant - sum of size x (1 - exp(-load in per cent / scale)) below the threshold, 1 from it on."""
    if load >= law["full_from"]:
        return Decimal(1)
    with localcontext() as context:
        context.prec = _DIGITS
        falls = (size * (1 - (-load * 100 / scale).exp()) for size, scale in law["terms"])
        return _half_up(law["constant"] - sum(falls, Decimal(0)), law["decimals"])


_FORMULAS: dict[str, Callable[[Decimal, Mapping[str, Any]], Decimal]] = {
    "power_of_base": _power_of_base,
    "piecewise": _piecewise,
    "exponential": _exponential,
}


def _band_law(slope: Rate | None, band: Rate | None, limit: Rate | None) -> tuple[Fraction, Fraction, Fraction]:
    if slope is None or band is None or limit is None:
        raise ValueError("the law of this day has no slope, band and limit for an allocation balanced by intensity")
    return fraction(slope), fraction(band), fraction(limit)


def _coefficient(intensity: Fraction, balance: Fraction, slope: Fraction, band: Fraction, limit: Fraction) -> Fraction:
    deviation = (balance - intensity) / balance
    return slope * deviation if -band < deviation < band else (limit if deviation >= band else -limit)


def _balance(verified: Any, intensity: Any, slope: Fraction, band: Fraction, limit: Fraction) -> Fraction | None:
    """Solve sum(A) = sum(E) exactly: find the two neighbouring edges between which the sum changes sign, then the straight piece between them.

    An edge is a balance value at which some plant enters or leaves the band: I / (1 - band) or I / (1 + band). Between two edges the same plants
    are inside, and slope x sum(E - E x I / BP) + limit x (sum best - sum worst) = 0 is linear in 1 / BP. Of a flat piece the lower end is taken.
    """
    emitted = _whole(verified)
    distinct, codes = _codes(intensity)
    whole, scale = _scaled(distinct)
    mass = np.zeros(len(whole), dtype=np.int64)
    np.add.at(mass, codes, emitted)
    levels = sorted(zip(whole, mass.tolist(), strict=True))
    level = [i for i, _ in levels]
    total = list(accumulate((m for _, m in levels), initial=0))
    moment = list(accumulate((i * m for i, m in levels), initial=0))
    if not total[-1]:
        return None
    enters, leaves = 1 - band, 1 + band

    def terms(balance: Fraction) -> tuple[Fraction, Fraction]:
        """The surplus at a balance value as a + b / balance. Levels up to it x (1 - band) are best, from it x (1 + band) on worst."""
        best, worst = bisect_right(level, _floor(balance * enters)), bisect_left(level, -_floor(-balance * leaves))
        inside, within = total[worst] - total[best], moment[worst] - moment[best]
        return slope * inside + limit * (total[best] - total[-1] + total[worst]), -slope * within

    def surplus(balance: Fraction) -> Fraction:
        constant, inverse = terms(balance)
        return constant + inverse / balance

    # Edges on one whole-number scale: level / enters and level / leaves, both times the product of the two numerators.
    steps = (enters.denominator * leaves.numerator, leaves.denominator * enters.numerator)
    unit = enters.numerator * leaves.numerator
    edges = sorted({i * step for i in level for step in steps if i})
    if not edges:
        return None
    low, high = 0, len(edges) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if surplus(Fraction(edges[middle], unit)) >= 0 else (middle + 1, high)
    if low == 0 or surplus(Fraction(edges[low], unit)) == 0:
        return Fraction(edges[low], unit * scale)
    constant, inverse = terms(Fraction(edges[low - 1] + edges[low], 2 * unit))
    return -inverse / constant / scale


def _by_intensity(verified: Any, intensity: Any, balance: Fraction | None, slope: Fraction, band: Fraction, limit: Fraction) -> IntArray:
    """E x (1 + alpha) of each row, whole units."""
    if balance is None:
        return _whole(verified)
    distinct, codes = _codes(intensity)
    return _products(verified, [([1 + _coefficient(fraction(i), balance, slope, band, limit) for i in distinct], codes)])


def _rows(*columns: Any) -> tuple[bool, list[npt.NDArray[Any]]]:
    """The columns as arrays of one length; True where every one of them was a single value."""
    arrays = [c if isinstance(c, np.ndarray) else np.asarray(c, dtype=None if _is_plain(c) else object) for c in columns]
    single = all(a.ndim == 0 for a in arrays)
    return single, [np.asarray(a) for a in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays))]


def _is_plain(column: Any) -> bool:
    """Whether NumPy's own choice of type is safe: whole numbers and booleans. Text and decimals stay Python objects."""
    first = next((v for v in column), 0) if isinstance(column, Sequence) and not isinstance(column, str) else column
    return isinstance(first, (bool, int, np.integer, np.bool_))


def _back(values: npt.NDArray[Any], single: bool) -> Any:
    """A plain value where only single values were given, else the array."""
    if not single:
        return values
    return values[0].item() if isinstance(values[0], np.generic) else values[0]


def _codes(column: npt.NDArray[Any]) -> tuple[list[Any], IntArray]:
    """The distinct values of a column, and for each row which of them it is. A broadcast single value is looked at once."""
    if column.size and column.strides == (0,):
        return [column[0]], np.zeros(column.size, dtype=np.int64)
    seen: dict[Any, int] = {}
    codes = np.fromiter((seen.setdefault(v, len(seen)) for v in column.tolist()), dtype=np.int64, count=column.size)
    return list(seen), codes


def _pairs(first: IntArray, second: IntArray, width: int) -> tuple[list[tuple[int, int]], IntArray]:
    """The distinct pairs of two codings, and for each row which of them it is."""
    keys, codes = np.unique(first * width + second, return_inverse=True)
    return [divmod(int(k), width) for k in keys], np.asarray(codes, dtype=np.int64)


def _whole(column: npt.NDArray[Any]) -> IntArray:
    """A column of whole numbers as int64; anything else is refused."""
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    values = column.tolist()
    if any(isinstance(v, float) or v != int(v) for v in values):
        raise UnitsError("units are whole numbers")
    return np.array([int(v) for v in values], dtype=np.int64)


def _scaled(rates: Sequence[Rate | str]) -> tuple[list[int], int]:
    """Rates as whole numbers over one denominator."""
    exact = [fraction(r) for r in rates]
    scale = lcm(*(f.denominator for f in exact)) if exact else 1
    return [f.numerator * (scale // f.denominator) for f in exact], scale


def _products(quantity: npt.NDArray[Any], rates: Sequence[tuple[Sequence[Rate], IntArray]]) -> IntArray:
    """quantity x rate x rate ... row by row, exact, rounded down once. In int64 where the products fit, in Python's integers where they do not."""
    denominator = 1
    if quantity.dtype.kind in "iu":
        product: npt.NDArray[Any] = quantity.astype(np.int64)
    else:
        values, codes = _codes(quantity)
        numerators, denominator = _scaled(values)
        product = np.array(numerators, dtype=object)[codes] if values else np.zeros(0, dtype=object)
    largest = max(abs(int(product.max(initial=0))), abs(int(product.min(initial=0))))
    factors = []
    for distinct, codes in rates:
        numerators, scale = _scaled(distinct)
        largest *= max((abs(n) for n in numerators), default=0)
        denominator *= scale
        factors.append((numerators, codes))
    kind: Any = np.int64 if max(largest, denominator, *(abs(n) for ns, _ in factors for n in ns), 0) <= INT64_MAX else object
    product = product.astype(kind)
    for numerators, codes in factors:
        product = product * np.array(numerators, dtype=kind)[codes]
    return np.asarray(product // denominator).astype(np.int64)


def _row_of(table: Mapping[int, Any], year: int, what: str) -> Any:
    try:
        return table[int(year)]
    except KeyError:
        raise ValueError(f"no {what} for {year}; the law of this day has {', '.join(str(y) for y in table)}") from None


def _known(table: Mapping[str, Any], name: Any, what: str) -> Any:
    try:
        return table[name]
    except KeyError:
        raise ValueError(f"unknown {what} {name!r}; there are {', '.join(table)}") from None


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator


def _decimal(value: Any) -> Decimal:
    """A load or share as an exact decimal; floats are refused."""
    if isinstance(value, Decimal):
        return value
    exact = fraction(int(value) if isinstance(value, np.integer) else value)
    return _as_decimal(exact)


def _as_decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal of fifty digits: exact where it ends."""
    with localcontext() as context:
        context.prec = _DIGITS
        return Decimal(value.numerator) / Decimal(value.denominator)


def _half_up(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
