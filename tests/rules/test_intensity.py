"""Allocation that follows output: one row, many rows, zero rows; the jump of the load factor; the balance value solved exactly."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules import intensity
from tonne.units import UnitsError

LARGE, SMALL, SPECIAL, GAS = "coal_conventional_gt300", "coal_conventional_le300", "coal_unconventional_or_cfb", "gas"
CONVENTIONAL = [LARGE, SMALL]
POWER = {2023: {LARGE: D("0.795"), GAS: D("0.3305")}, 2024: {LARGE: D("0.7910"), SMALL: D("0.8049"), SPECIAL: D("0.8244"), GAS: D("0.3288")}}
HEAT = {2023: {"coal": D("0.1038"), "gas": D("0.0536")}, 2024: {"coal": D("0.1033"), "gas": D("0.0533")}}
FUEL = {LARGE: "coal", SMALL: "coal", SPECIAL: "coal", GAS: "gas"}
BASE = {"method": "power_of_base", "classes": CONVENTIONAL, "full_from": D("0.65"), "base": D("1.015"), "constant": 16, "slope": 20, "decimals": 6}
LINES = {
    **BASE,
    "method": "piecewise",
    "full_from": D("0.85"),
    "bands": [[D("0.80"), D("0.85"), 1, D("0.0014")], [D("0.75"), D("0.80"), D("1.007"), D("0.0016")]],
    "with_heat": False,
}
CURVE = {
    "method": "exponential",
    "classes": CONVENTIONAL,
    "full_from": D("0.50"),
    "constant": D("7.254"),
    "terms": [[D("0.633"), D("29.822")], [D("5.643"), D("6.871")]],
    "decimals": 6,
}
LOAD = {2019: LINES, 2023: BASE, 2024: BASE, 2025: CURVE}
BAND: dict[str, Any] = {"intensity_slope": D("0.15"), "intensity_band": D("0.20"), "intensity_limit": D("0.03")}
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


def factor(load: Any, year: int = 2024, product: Any = LARGE, heat_ratio: Any = 0) -> Any:
    return intensity.load_factor(load, year, product, heat_ratio, load_factor_formula=LOAD)


def test_one_unit_through_two_years() -> None:
    assert intensity.allocation(2024, "power", LARGE, 3_000_000, 2_000_000, D("0.60"), **LAW) == 2_725_216
    assert intensity.allocation(2023, "power", LARGE, 3_000_000, 2_000_000, D("0.60"), **LAW) == 2_738_953


def test_many_rows_of_every_method_at_once_and_none() -> None:
    units = intensity.allocation(
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
    assert intensity.allocation([], [], [], [], **LAW).tolist() == []


def test_scalar_answers_are_plain_numbers_and_agree_with_columns() -> None:
    one = intensity.allocation(2024, "power", SMALL, 1_500_000, 0, D("0.70"), **LAW)
    many = intensity.allocation(2024, "power", [SMALL] * 3, 1_500_000, 0, D("0.70"), **LAW)
    assert one == 1_207_350 and isinstance(one, int) and many.tolist() == [one] * 3


def test_a_sector_or_a_class_without_law_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'power' in 2025"):
        intensity.allocation(2025, "power", LARGE, 1, **LAW)
    with pytest.raises(ValueError, match=r"unit class 'oil'.*gas"):
        intensity.allocation(2024, "power", "oil", 1, **LAW)
    with pytest.raises(UnitsError, match="binary float"):
        intensity.allocation(2024, "power", LARGE, 1, 0, 0.6, **LAW)


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
    units = intensity.power_allocation([10**15, 1], LARGE, 2024, [D("1.061364"), D("1.061364")], power_benchmark=POWER, heat_fuel=FUEL)
    assert units.tolist() == [10**15 * 7910 * 1061364 // 10**10, 0]


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 4000)), min_size=1, max_size=30))
def test_at_the_balance_value_the_sector_receives_what_it_emitted(plants: list[tuple[int, int]]) -> None:
    verified, intensities = [e for e, _ in plants], [D(i).scaleb(-3) for _, i in plants]
    if not any(verified):
        assert intensity.balance_value(verified, intensities, **BAND) is None
        return
    law = (Fraction(15, 100), Fraction(1, 5), Fraction(3, 100))
    columns = np.array(verified), np.array(intensities, dtype=object)
    exact = intensity._balance(*columns, *law)
    assert exact is not None
    assert sum(e * intensity._coefficient(Fraction(i), exact, *law) for e, i in zip(verified, intensities, strict=True)) == 0
    units = intensity.intensity_allocation(verified, intensities, **BAND)
    assert 0 <= sum(verified) - int(units.sum()) < len(plants)
    for before, after in pairwise(sorted(zip(intensities, units.tolist(), verified, strict=True))):
        if before[2] == after[2]:
            assert before[1] >= after[1]


def test_the_balance_value_of_three_plants() -> None:
    verified = [1_000_000, 2_000_000, 1_000_000]
    assert intensity.balance_value(verified, [D("1.5"), D("1.6"), D("1.8")], **BAND) == D("1.625")
    assert intensity.balance_value(verified, [D("1.2"), D("1.6"), D("2.2")], **BAND) == D("1.6")
    assert intensity.intensity_allocation(verified, [D("1.5"), D("1.6"), D("1.8")], **BAND).tolist() == [1_011_538, 2_004_615, 983_846]
    assert intensity.intensity_allocation(1_000_000, D("1.5"), D("1.625"), **BAND) == 1_011_538
    assert intensity.balance_value([], [], **BAND) is None
    assert intensity.intensity_allocation([], [], **BAND).tolist() == []


def test_a_special_case_stays_out_of_the_balance() -> None:
    units = intensity.allocation(
        2025, "steel", ["special", "", "", ""], verified=[9, 1_000_000, 2_000_000, 1_000_000],
        intensity=[D("9.9"), D("1.5"), D("1.6"), D("1.8")], **LAW,
    )  # fmt: skip
    assert units.tolist() == [9, 1_011_538, 2_004_615, 983_846]


def test_exemptions_one_row_many_rows_none() -> None:
    law: dict[str, Any] = {"exempt_products": [GAS], "gap_limit": D("0.20")}
    assert intensity.final_allocation(300_000, 320_000, GAS, **law) == 320_000
    assert intensity.final_allocation([500_000, 100_000], 1_000_000, [LARGE, GAS], ["a", "a"], **law).tolist() == [600_000, 1_000_000]
    assert intensity.final_allocation([500_000, 100_000], 1_000_000, [LARGE, GAS], **law).tolist() == [800_000, 1_000_000]
    assert intensity.final_allocation([], [], [], **law).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 4)), max_size=20))
def test_after_the_top_up_no_entity_lacks_more_than_the_limit(rows: list[tuple[int, int, int]]) -> None:
    initial, verified, entity = ([r[i] for r in rows] for i in range(3))
    units = np.array(initial, dtype=np.int64) + intensity.gap_top_up(
        np.array(initial, dtype=np.int64), np.array(verified, dtype=np.int64), np.array(entity), gap_limit=D("0.20")
    )
    for name in set(entity):
        held = sum(u for u, e in zip(units.tolist(), entity, strict=True) if e == name)
        before = sum(u for u, e in zip(initial, entity, strict=True) if e == name)
        floor = sum(v for v, e in zip(verified, entity, strict=True) if e == name) * 8 // 10
        assert held == max(before, floor)


def test_gap_rate_rounds_half_up() -> None:
    assert intensity.gap_rate(87_655, 100_000, gap_rate_decimals=2) == D("12.35")
    assert intensity.gap_rate([700_000, 0], [1_000_000, 0], gap_rate_decimals=2).tolist() == [D("30.00"), 0]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_deductions_and_issues_always_make_up_the_final_allocation(pre: int, final: int, to_deduct: int) -> None:
    parts = intensity.deduction_settlement(pre, final, to_deduct)
    deducted = to_deduct - parts["still_to_deduct"]
    assert parts["pre_issued"] + parts["final_issued"] + deducted == final
    assert parts["pre_issued"] >= 0 and parts["returned_deduction"] >= 0 and 0 <= deducted <= to_deduct


def test_unit_classes_and_thresholds() -> None:
    law: dict[str, Any] = {"class_rated_mw": 400, "special_coal_from": D("0.50")}
    assert intensity.unit_class(660, "coal", **law) == LARGE
    rows = intensity.unit_class([399, 400, 660, 300, 50], ["coal", "coal", "coal", "coal", "gas"], [0, 0, 1, 0, 0], [0, 0, 0, D("0.51"), 0], **law)
    assert rows.tolist() == [SMALL, LARGE, SPECIAL, SPECIAL, GAS]
    assert intensity.is_covered("power", [25_999, 26_000], covered_emissions_from={"power": 26_000}).tolist() == [False, True]
    assert intensity.is_covered("steel", 10**9, covered_emissions_from={"power": 26_000}) is False
    assert intensity.leaves_list("power", 25_999, 25_000, covered_emissions_from={"power": 26_000}) is True


def test_pre_allocation_rounds_down_and_asks_for_its_base() -> None:
    law: dict[str, Any] = {"pre_allocation_share": {2019: {"power": D("0.7")}, 2024: {"power": D("0.7")}}, "pre_allocation_base": {2019: "reference"}}
    assert intensity.pre_allocation(1_000_001, 2024, **law) == 700_000
    assert intensity.pre_allocation([10, 10], 2024, ["power", "steel"], **law).tolist() == [7, 0]
    assert intensity.pre_allocation(0, 2019, reference=11, **law) == 7
    with pytest.raises(ValueError, match="reference"):
        intensity.pre_allocation(1_000_000, 2019, **law)
