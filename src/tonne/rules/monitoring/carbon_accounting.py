"""From activity data to emissions: combustion by carbon, process emissions, heat, bought power, sampled means, meter corrections, plausibility.

Measured quantities are decimals; every formula is exact until the one rounding that the text orders. One value gives a Decimal, a column an object
array of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import UnitsError

_FUEL = {"fuel_use": "tonne", "ncv": "GJ_per_tonne", "carbon": "tC_per_GJ", "oxidation": "ratio"}
_DIGITS = 40


@rule("carbon_accounting", unit="tCO2", given=_FUEL)
def combustion(fuel_use: Any, ncv: Any, carbon: Any, oxidation: Any = 1, *, carbon_to_co2: tuple[int, int], emission_decimals: int) -> Any:
    """Emissions of a fuel: use x calorific value x carbon per heat x oxidation x 44/12, rounded half up (steel guide CETS-AG-03.01-V01-2024, eq. 3).

    1,200,000 x 20.5 x 0.027 x 0.99 x 44/12 = 2,411,046.00. Gases: use in ten thousand Nm3, calorific value in GJ for as many.
    """
    return _carbon([fuel_use, ncv, carbon, oxidation], carbon_to_co2, emission_decimals)


@rule("carbon_accounting", unit="tCO2", given={"fuel_use": "tonne", "carbon_received": "tC_per_tonne", "oxidation": "ratio"})
def carbon_combustion(fuel_use: Any, carbon_received: Any, oxidation: Any = 1, *, carbon_to_co2: tuple[int, int], emission_decimals: int) -> Any:
    """Emissions of coal whose carbon was measured: use x carbon as received x oxidation x 44/12 (power verification guide CETS-VG-01.01-V02-2026).

    30,000 x 0.52 x 0.99 x 44/12 = 56,628.00.
    """
    return _carbon([fuel_use, carbon_received, oxidation], carbon_to_co2, emission_decimals)


@rule("carbon_accounting", unit="tCO2", given={"fuel_use": "tonne", "fuel": "fuel", "oxidation": "ratio", "ncv": "GJ_per_tonne"})
def default_combustion(
    fuel_use: Any,
    fuel: Any,
    oxidation: Any = 1,
    ncv: Any = None,
    *,
    fuel_ncv: Mapping[str, Decimal],
    fuel_carbon: Mapping[str, Decimal],
    carbon_to_co2: tuple[int, int],
    emission_decimals: int,
) -> Any:
    """Emissions of a fuel with the guide's default calorific value (unless a measured one is given) and carbon per heat (steel guide, table A.1).

    1,000,000 t of bituminous coal: x 23.736 x 0.02618 x 0.99 x 44/12 = 2,255,712.7824 -> 2,255,712.78.
    """
    names = np.asarray(fuel, dtype=object)
    value = _looked_up(names, fuel_ncv, "fuel") if ncv is None else ncv
    return _carbon([fuel_use, value, _looked_up(names, fuel_carbon, "fuel"), oxidation], carbon_to_co2, emission_decimals)


@rule("carbon_accounting", unit="tCO2_per_tonne", given={"ncv": "GJ_per_tonne", "carbon": "tC_per_GJ"})
def emission_factor(ncv: Any, carbon: Any, *, carbon_to_co2: tuple[int, int], factor_decimals: int) -> Any:
    """Emission factor of a tonne of fuel or carbon product from its calorific value and carbon (steel guide, table A.2, footnote 4).

    33.453 x 0.022 x 44/12 = 2.6985... -> 2.699.
    """
    return _carbon([ncv, carbon], carbon_to_co2, factor_decimals)


@rule("carbon_accounting", unit="tCO2", given={"quantity": "tonne", "factor": "tCO2_per_tonne"})
def process_emissions(quantity: Any, factor: Any, *, emission_decimals: int) -> Any:
    """Emissions of a process: quantity of raw material or product x its factor. 2,000,000 t of clinker x 0.535 = 1,070,000.00."""
    return _rounded([quantity, factor], Fraction(1), emission_decimals)


@rule("carbon_accounting", unit="tCO2", given={"electricity": "MWh", "year": "year"})
def purchased_electricity(electricity: Any, year: int, *, grid_factor_for_reporting: Mapping[int, Decimal | None], emission_decimals: int) -> Any:
    """Emissions of bought electricity, owed to 2022: electricity x the grid factor for reporting; nothing in a year without a factor.

    1,000 MWh x 0.5703 = 570.30.
    """
    factor = grid_factor_for_reporting.get(int(year))
    return _rounded([electricity, 0 if factor is None else factor], Fraction(1), emission_decimals)


@rule("carbon_accounting", unit="GJ", given={"steam": "tonne", "enthalpy": "kJ_per_kilogram"})
def heat_of_steam(steam: Any, enthalpy: Any, *, feed_water_enthalpy: Decimal) -> Any:
    """Heat of steam: tonnes x (enthalpy - enthalpy of feed water) / 1000 (steel guide, eq. E.2). 1,000 x (2,800 - 83.74) / 1000 = 2,716.26."""
    return _exact(lambda t, h: t * (h - feed_water_enthalpy) / 1000, steam, enthalpy)


@rule("carbon_accounting", unit="GJ", given={"water": "tonne", "temperature": "degree_celsius"})
def heat_of_hot_water(water: Any, temperature: Any, *, water_base_temperature: Decimal, water_heat_capacity: Decimal) -> Any:
    """Heat of hot water: tonnes x (temperature - 20) x 4.1868 / 1000 (steel guide, annex E). 1,000 x (90 - 20) x 4.1868 / 1000 = 293.076."""
    return _exact(lambda t, degrees: t * (degrees - water_base_temperature) * water_heat_capacity / 1000, water, temperature)


@rule(
    "carbon_accounting",
    unit="tC_per_tonne",
    given={"carbon_air_dried": "tC_per_tonne", "moisture_air_dried": "percent", "moisture_received": "percent"},
)
def carbon_as_received(carbon_air_dried: Any, moisture_air_dried: Any, moisture_received: Any) -> Any:
    """Carbon of coal as received, from a test on the air-dried sample: x (100 - total moisture) / (100 - moisture of the sample).

    0.62 x 88 / 97 = 0.562474...; a test on the dry sample has moisture 0.
    """
    return _exact(lambda c, ad, ar: c * (100 - ar) / (100 - ad), carbon_air_dried, moisture_air_dried, moisture_received)


@rule("carbon_accounting", unit="number", given={"values": "number", "weights": "number"})
def weighted_mean(values: Any, weights: Any) -> Any:
    """The mean of a period's samples weighted with the fuel they stand for; None without weight.

    (0.52 x 30,000 + 0.55 x 25,000 + 0.50 x 28,000) / 83,000 = 0.522289...
    """
    value, weight = np.atleast_1d(_column(values)), np.atleast_1d(_column(weights))
    with localcontext() as context:
        context.prec = _DIGITS
        total = weight.sum() if weight.size else Decimal(0)
        return (value * weight).sum() / total if total else None


@rule("carbon_accounting", unit="number", given={"quantity": "number", "kind": "text", "calibration": "text", "allowed": "ratio", "found": "ratio"})
def meter_corrected(quantity: Any, kind: str, calibration: str, allowed: Decimal, found: Decimal = Decimal(0)) -> Any:
    """A metered quantity corrected to the safe side (CETS-VG-01.01-V02-2026): fuel up, output down.

    In time and accurate: unchanged; in time and outside: by what exceeds the allowed error; not calibrated: by the allowed error.
    100,000 t not calibrated at 0.005 -> 100,500; found 0.008: 100,000 x 1.003 = 100,300; 500,000 MWh not calibrated -> 497,500.
    """
    errors = {"on_time": max(Decimal(0), found - allowed), "not_calibrated": Decimal(allowed)}
    if kind not in ("fuel", "output") or calibration not in errors:
        raise ValueError("`kind` is fuel or output; `calibration` is on_time or not_calibrated (a late one is split between the two)")
    return _exact(lambda q: q * (1 + errors[calibration] if kind == "fuel" else 1 - errors[calibration]), quantity)


@rule("carbon_accounting", unit="tCO2_per_tonne", given={"net_use": "ratio", "sulphur": "ratio", "ash": "ratio"})
def anode_factor(
    net_use: Any = None, sulphur: Any = None, ash: Any = None, *, anode_default: Mapping[str, Decimal], carbon_to_co2: tuple[int, int]
) -> Any:
    """Emissions of a tonne of aluminium from its carbon anodes: net use x (1 - sulphur - ash) x 44/12. 0.42 x 0.976 x 44/12 = 1.50304."""
    given = {"net_use": net_use, "sulphur": sulphur, "ash": ash}
    filled = [anode_default[name] if value is None else value for name, value in given.items()]
    return _exact(lambda n, s, a: n * (1 - s - a) * carbon_to_co2[0] / carbon_to_co2[1], *filled)


@rule("carbon_accounting", unit="tCO2e", given={"aluminium": "tonne", "warming_potential": "text"})
def anode_effect(
    aluminium: Any, warming_potential: str, *, anode_effect_default: Mapping[str, Decimal], gas_warming: Mapping[str, Mapping[str, int]]
) -> Any:
    """Emissions of anode effects: aluminium x sum over gases of kilograms a tonne x warming potential / 1000.

    100,000 x (0.034 x 6500 + 0.0034 x 9200) / 1000 = 25,228.
    """
    if warming_potential not in gas_warming:
        raise ValueError(f"no set of warming potentials {warming_potential!r}; there are {', '.join(gas_warming)}")
    each = sum((anode_effect_default[gas] * potential for gas, potential in gas_warming[warming_potential].items()), Decimal(0))
    return _exact(lambda t: t * each / 1000, aluminium)


@rule(
    "carbon_accounting",
    unit="ratio",
    given={"generation": "MWh", "fuel_use": "tonne", "ncv": "GJ_per_tonne", "heat_gj": "GJ", "condensing": "boolean"},
)
def unit_efficiency(
    generation: Any, fuel_use: Any, ncv: Any, heat_gj: Any = 0, condensing: bool = True, *, efficiency_limit: Mapping[str, Decimal]
) -> dict[str, Any]:
    """Output over the heat of the fuel, and whether it is above what is believable (CETS-VG-01.01-V02-2026): asks for an explanation.

    1,000,000 MWh x 3.6 / (500,000 t x 12.0) = 0.6, above 0.46 for a condensing unit.
    """
    limit = efficiency_limit["condensing" if condensing else "combined_heat"]
    efficiency = _exact(lambda m, t, n, h: (m * Decimal("3.6") + h) / (t * n), generation, fuel_use, ncv, heat_gj)
    return {"efficiency": efficiency, "implausible": efficiency > limit}


@rule("carbon_accounting", unit="kilogram_per_GJ", given={"carbon_received": "tC_per_tonne", "ncv": "GJ_per_tonne"})
def carbon_per_heat(carbon_received: Any, ncv: Any) -> Any:
    """Carbon of a coal for its heat, in kilograms a gigajoule (tonnes a terajoule), to hold against the usual values. 0.55 / 12.0 x 1000 = 45.83."""
    return _exact(lambda c, n: c * 1000 / n, carbon_received, ncv)


@rule("carbon_accounting", unit="percent", given={"value": "number", "reference": "number", "decimals": "number"})
def percent_difference(value: Any, reference: Any, decimals: int = 2) -> Any:
    """By how many per cent one factor differs from another, rounded half up. 0.03085 against 0.03356: -8.075."""
    return _exact(lambda a, b: _half_up(100 * (a - b) / b, decimals), value, reference)


def _carbon(factors: list[Any], carbon_to_co2: tuple[int, int], decimals: int) -> Any:
    return _rounded(factors, Fraction(carbon_to_co2[0], carbon_to_co2[1]), decimals)


def _rounded(factors: list[Any], times: Fraction, decimals: int) -> Any:
    """The product of columns x a fraction, rounded half up once. Forty digits hold the product exactly, so the division cannot move a half."""

    def product(*values: Any) -> Any:
        result: Any = Decimal(times.numerator)
        for value in values:
            result = result * value
        return _half_up(result / times.denominator, decimals)

    return _exact(product, *factors)


def _exact(formula: Callable[..., Any], *columns: Any) -> Any:
    """A formula over columns of one length with forty digits; a plain Decimal where only single values were given."""
    with localcontext() as context:
        context.prec = _DIGITS
        return formula(*(_column(c) for c in columns))


def _column(values: Any) -> Any:
    """A column of exact decimals, or one; binary floats are refused, because 0.027 as a float is not 27/1000."""
    array = np.asarray(values, dtype=object)
    if array.ndim == 0:
        return _decimal(array.item())
    kinds = set(map(type, array.ravel().tolist()))
    if kinds <= {Decimal}:
        return array
    return np.frompyfunc(Decimal if kinds <= {int} else _decimal, 1, 1)(array)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, str, np.integer)):
        raise UnitsError(f"{value!r} is a {type(value).__name__}; write measured quantities as decimals or text")
    return Decimal(value) if isinstance(value, str) else Decimal(int(value))


def _half_up(value: Any, decimals: int) -> Any:
    step = Decimal(1).scaleb(-decimals)
    if isinstance(value, Decimal):
        return value.quantize(step, ROUND_HALF_UP)
    return np.frompyfunc(lambda v: v.quantize(step, ROUND_HALF_UP), 1, 1)(value)


def _looked_up(names: Any, table: Mapping[str, Decimal], what: str) -> Any:
    """The table's value for each name. Raises ValueError for a name the table lacks."""
    unknown = sorted({name for name in names.ravel().tolist() if name not in table})
    if unknown:
        raise ValueError(f"no {what} {unknown[0]!r}; there are {', '.join(table)}")
    values = [table[name] for name in names.ravel().tolist()]
    return values[0] if names.ndim == 0 else np.array(values, dtype=object)
