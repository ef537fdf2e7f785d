"""Allocation that follows output."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.unit_benchmark import allocation, load_factor, power_allocation, unit_class
from tonne.units import UnitsError

LARGE, SMALL, SPECIAL, GAS = "coal_conventional_gt300", "coal_conventional_le300", "coal_unconventional_or_cfb", "gas"
BAND: dict[str, Any] = {"intensity_slope": D("0.15"), "intensity_band": D("0.20"), "intensity_limit": D("0.03")}
FUEL = {LARGE: "coal", SMALL: "coal", SPECIAL: "coal", GAS: "gas"}
HEAT = {2023: {"coal": D("0.1038"), "gas": D("0.0536")}, 2024: {"coal": D("0.1033"), "gas": D("0.0533")}}
CONVENTIONAL = [LARGE, SMALL]
BASE = {"method": "power_of_base", "classes": CONVENTIONAL, "full_from": D("0.65"), "base": D("1.015"), "constant": 16, "slope": 20, "decimals": 6}
CURVE = {
    "method": "exponential",
    "classes": CONVENTIONAL,
    "full_from": D("0.50"),
    "constant": D("7.254"),
    "terms": [[D("0.633"), D("29.822")], [D("5.643"), D("6.871")]],
    "decimals": 6,
}
LINES = {
    **BASE,
    "method": "piecewise",
    "full_from": D("0.85"),
    "bands": [[D("0.80"), D("0.85"), 1, D("0.0014")], [D("0.75"), D("0.80"), D("1.007"), D("0.0016")]],
    "with_heat": False,
}
LOAD = {2019: LINES, 2023: BASE, 2024: BASE, 2025: CURVE}
POWER = {2023: {LARGE: D("0.795"), GAS: D("0.3305")}, 2024: {LARGE: D("0.7910"), SMALL: D("0.8049"), SPECIAL: D("0.8244"), GAS: D("0.3288")}}
LAW: dict[str, Any] = {
    "allocation_method": {
        2023: {"power": "unit_benchmark", "steel": "outside"},
        2024: {"power": "unit_benchmark", "steel": "as_verified"},
        2025: {"steel": "balanced_intensity"},
    },
    "power_benchmark": POWER,
    "heat_benchmark": HEAT,
    "heat_fuel": FUEL,
    "load_factor_formula": LOAD,
    "as_verified_cases": {2025: ["special"]},
    **BAND,
}


def test_one_unit_through_two_years() -> None:
    assert allocation(2024, "power", LARGE, 3_000_000, 2_000_000, D("0.60"), **LAW) == 2_725_216
    assert allocation(2023, "power", LARGE, 3_000_000, 2_000_000, D("0.60"), **LAW) == 2_738_953


def test_many_rows_of_every_method_at_once_and_none() -> None:
    units = allocation(
        [2024, 2023, 2024, 2023, 2024],
        ["power", "power", "steel", "steel", "power"],
        [LARGE, LARGE, "", "", GAS],
        [3_000_000, 3_000_000, 0, 0, 1_000_000],
        [2_000_000, 2_000_000, 0, 0, 0],
        [D("0.60"), D("0.60"), 1, 1, D("0.10")],
        [0, 0, 77, 88, 0],
        **LAW,
    )
    assert units.dtype == np.int64 and units.tolist() == [2_725_216, 2_738_953, 77, 0, 328_800]
    assert allocation([], [], [], [], **LAW).tolist() == []


def test_scalar_answers_are_plain_numbers_and_agree_with_columns() -> None:
    one = allocation(2024, "power", SMALL, 1_500_000, 0, D("0.70"), **LAW)
    many = allocation(2024, "power", [SMALL] * 3, 1_500_000, 0, D("0.70"), **LAW)
    assert one == 1_207_350 and isinstance(one, int) and many.tolist() == [one] * 3


def test_a_sector_or_a_class_without_law_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'power' in 2025"):
        allocation(2025, "power", LARGE, 1, **LAW)
    with pytest.raises(ValueError, match=r"unit class 'oil'.*gas"):
        allocation(2024, "power", "oil", 1, **LAW)
    with pytest.raises(UnitsError, match="binary float"):
        allocation(2024, "power", LARGE, 1, 0, 0.6, **LAW)


def factor(load: Any, year: int = 2024, product: Any = LARGE, heat_ratio: Any = 0) -> Any:
    return load_factor(load, year, product, heat_ratio, load_factor_formula=LOAD)


def test_the_factor_jumps_at_the_threshold_of_each_formula() -> None:
    assert factor([D("0.649999"), D("0.65")]).tolist() == [D("1.045679"), 1]
    assert factor([D("0.49999"), D("0.50")], 2025).tolist() == [D("1.100280"), 1]
    assert factor([D("0.30"), D("0.40")], 2025).tolist() == [D("1.281146"), D("1.160254")]
    assert factor([D("0.849999"), D("0.85"), D("0.80"), D("0.78"), D("0.75"), D("0.70")], 2019).tolist() == [
        D("1.000000"), 1, D("1.007"), D("1.0102"), D("1.015"), D("1.030225")
    ]  # fmt: skip


def test_the_factor_is_for_some_classes_and_for_units_without_heat() -> None:
    assert factor(D("0.60"), product=[LARGE, SMALL, SPECIAL, GAS]).tolist() == [D("1.061364"), D("1.061364"), 1, 1]
    assert factor(D("0.78"), 2019, LARGE, [0, D("0.10")]).tolist() == [D("1.0102"), 1]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_less_load_never_lowers_the_factor(one: int, other: int) -> None:
    low, high = sorted([one, other])
    for year in (2019, 2024, 2025):
        factors = factor([D(low).scaleb(-4), D(high).scaleb(-4)], year).tolist()
        assert factors[0] >= factors[1] >= 1


def test_quantities_beyond_64_bits_in_the_middle_stay_exact() -> None:
    units = power_allocation([10**15, 1], LARGE, 2024, [D("1.061364"), D("1.061364")], power_benchmark=POWER, heat_fuel=FUEL)
    assert units.tolist() == [10**15 * 7910 * 1061364 // 10**10, 0]


def test_a_special_case_stays_out_of_the_balance() -> None:
    units = allocation(
        2025, "steel", ["special", "", "", ""], verified=[9, 1_000_000, 2_000_000, 1_000_000],
        intensity=[D("9.9"), D("1.5"), D("1.6"), D("1.8")], **LAW,
    )  # fmt: skip
    assert units.tolist() == [9, 1_011_538, 2_004_615, 983_846]


def test_unit_classes() -> None:
    law: dict[str, Any] = {"class_rated_mw": 400, "special_coal_from": D("0.50")}
    assert unit_class(660, "coal", **law) == "coal_conventional_gt300"
    rows = unit_class([399, 400, 660, 300, 50], ["coal", "coal", "coal", "coal", "gas"], [0, 0, 1, 0, 0], [0, 0, 0, D("0.51"), 0], **law)
    special = "coal_unconventional_or_cfb"
    assert rows.tolist() == ["coal_conventional_le300", "coal_conventional_gt300", special, special, "gas"]
