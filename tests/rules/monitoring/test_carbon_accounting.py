"""From activity data to emissions: exact until the one rounding, on one value and on columns."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.monitoring.carbon_accounting import (
    anode_effect,
    anode_factor,
    carbon_as_received,
    carbon_combustion,
    combustion,
    default_combustion,
    emission_factor,
    heat_of_hot_water,
    heat_of_steam,
    meter_corrected,
    purchased_electricity,
    unit_efficiency,
    weighted_mean,
)
from tonne.units import UnitsError

LAW: dict[str, Any] = {"carbon_to_co2": [44, 12], "emission_decimals": 2}
FUELS: dict[str, Any] = {"fuel_ncv": {"bituminous": D("23.736"), "lng": D("51.498")}, "fuel_carbon": {"bituminous": D("0.02618"), "lng": D("0.0172")}}


def test_combustion_of_one_plant_many_plants_and_none() -> None:
    assert combustion(1_200_000, D("20.5"), D("0.027"), D("0.99"), **LAW) == D("2411046.00")
    columns = combustion(np.array([1_200_000, 0]), [D("20.5"), D("20.5")], D("0.03356"), D("0.99"), **LAW)
    assert columns.tolist() == [D("2996840.88"), 0]
    assert combustion([], [], [], **LAW).tolist() == []


def test_floats_are_refused_and_text_is_taken() -> None:
    with pytest.raises(UnitsError, match="float"):
        combustion(1, 20.5, D("0.027"), **LAW)
    assert combustion(["1200000"], "20.5", "0.027", "0.99", **LAW).tolist() == [D("2411046.00")]


@given(st.integers(0, 10**8), st.integers(1, 10**5), st.integers(1, 10**5))
def test_emissions_are_the_exact_product_rounded_half_up(fuel: int, ncv: int, carbon: int) -> None:
    got = combustion(fuel, D(ncv).scaleb(-3), D(carbon).scaleb(-5), **LAW)
    thirds = fuel * ncv * carbon * 11  # over 3 x 10**8
    assert got == D((2 * thirds * 100 + 3 * 10**8) // (2 * 3 * 10**8)).scaleb(-2)


def test_default_fuels_by_name() -> None:
    assert default_combustion(1_000_000, "bituminous", D("0.99"), **FUELS, **LAW) == D("2255712.78")
    rows = default_combustion([1_000_000, 0], ["bituminous", "lng"], D("0.99"), **FUELS, **LAW)
    assert rows.tolist() == [D("2255712.78"), 0]
    with pytest.raises(ValueError, match=r"no fuel 'peat'; there are bituminous, lng"):
        default_combustion(1, "peat", **FUELS, **LAW)


def test_carbon_of_coal() -> None:
    assert carbon_as_received(D("0.62"), 3, 12).quantize(D("0.000001")) == D("0.562474")
    assert weighted_mean([D("0.52"), D("0.55"), D("0.50")], [30_000, 25_000, 28_000]).quantize(D("0.000001")) == D("0.522289")
    assert weighted_mean([], []) is None
    assert carbon_combustion([30_000], D("0.52"), D("0.99"), **LAW).tolist() == [D("56628.00")]
    assert emission_factor(D("33.453"), D("0.022"), carbon_to_co2=[44, 12], factor_decimals=3) == D("2.699")


def test_heat_and_power() -> None:
    assert heat_of_steam(1_000, 2_800, feed_water_enthalpy=D("83.74")) == D("2716.26")
    assert heat_of_hot_water([1_000], 90, water_base_temperature=20, water_heat_capacity=D("4.1868")).tolist() == [D("293.076")]
    table = {2022: D("0.5703"), 2023: None}
    assert purchased_electricity(1_000, 2022, grid_factor_for_reporting=table, emission_decimals=2) == D("570.30")
    assert purchased_electricity([1_000], 2023, grid_factor_for_reporting=table, emission_decimals=2).tolist() == [0]


@given(st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 100))
def test_a_meter_is_corrected_to_the_safe_side(quantity: int, allowed: int, found: int) -> None:
    for calibration in ("on_time", "not_calibrated"):
        share = D(allowed).scaleb(-3), D(found).scaleb(-3)
        assert meter_corrected(quantity, "fuel", calibration, *share) >= quantity
        assert meter_corrected(quantity, "output", calibration, *share) <= quantity


def test_efficiency_asks_for_an_explanation_above_the_limit() -> None:
    limit = {"efficiency_limit": {"condensing": D("0.46"), "combined_heat": D("1.0")}}
    assert unit_efficiency(1_000_000, 500_000, D("12.0"), **limit) == {"efficiency": D("0.6"), "implausible": True}
    rows = unit_efficiency([1_000_000, 100_000], 500_000, D("12.0"), condensing=False, **limit)
    assert rows["implausible"].tolist() == [False, False]


def test_aluminium() -> None:
    anode = {"net_use": D("0.42"), "sulphur": D("0.02"), "ash": D("0.004")}
    assert anode_factor(anode_default=anode, carbon_to_co2=[44, 12]) == D("1.50304")
    gases: dict[str, Any] = {"anode_effect_default": {"CF4": D("0.034"), "C2F6": D("0.0034")}, "gas_warming": {"second": {"CF4": 6500, "C2F6": 9200}}}
    assert anode_effect([100_000], "second", **gases).tolist() == [25_228]
    with pytest.raises(ValueError, match="there are second"):
        anode_effect(1, "third", **gases)
