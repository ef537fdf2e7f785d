"""The law against real records of ../shared/data: industrial allocation, unit prices, auctions. Skips plainly without them."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from tonne.administration.asks import answer
from tonne.law import Law, load
from tonne.units import NEAREST, round_decimal, round_fraction

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SMELTER = "aluminium_smelting"


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no collected data at ../shared/data/{name}")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def law_of(year: int, month: int = 12, day: int = 31) -> Law:
    return load("nz-ets", answer).at(date(year, month, day))


def allocation(year: int, output: Any, **law: Any) -> int:
    given = {"year": year, "product": SMELTER, "quantity": output}
    return int(answer(law_of(year), "allocation", (), given, **law))


def smelter() -> list[dict[str, str]]:
    return rows("nz/nz_aluminium_smelter_baseline_example.csv")


def test_units_are_baseline_times_output() -> None:
    """The file's own output is units over baseline: at full assistance and surrender the rule gives all thirteen years to the unit."""
    whole = {"assistance": {"highly": Decimal(1)}, "assistance_phase_out": None, "obligation__surrender_share": None}
    got = {row["Year"]: allocation(int(row["Year"]), Fraction(row["Production"]), **whole) for row in smelter()}
    assert got == {row["Year"]: int(row["Units"]) for row in smelter()}
    assert len(got) == 13


def test_the_law_holds_the_baselines_of_the_file() -> None:
    for row in smelter():
        assert law_of(int(row["Year"])).table("allocation.allocative_baseline")[SMELTER] == Decimal(row["Baseline"])


def test_assistance_and_one_for_two_leave_an_output_that_a_smelter_has() -> None:
    """What the law's own levels and shares leave as output is one plant's in every year; without them it would jump from 146,000 to 316,000 t."""
    output = {}
    for row in smelter():
        year, units = int(row["Year"]), int(row["Units"])
        per_million = allocation(year, 1_000_000)
        output[year] = Fraction(units * 1_000_000, per_million)
        whole = round_fraction(output[year], NEAREST)
        assert abs(allocation(year, whole) - units) <= 3, f"{year}: {whole} t"
    half_year = output.pop(2010)
    assert all(320_000 < tonnes < 360_000 for tonnes in output.values()), {year: float(tonnes) for year, tonnes in output.items()}
    assert 2 * 170_000 < 2 * half_year < 2 * 180_000
    implied = [Fraction(row["Production"]) for row in smelter()[1:]]
    assert max(implied) > 2 * min(implied)


def test_the_value_of_an_allocation_is_units_times_the_price_of_may() -> None:
    for row in smelter():
        assert int(row["Units"]) * Decimal(row["Mayunitprice"]) == Decimal(row["Unitvalue"])
    decisions = rows("nz/industrial_allocations.csv")
    assert len(decisions) == 844
    for row in decisions:
        assert int(row["units_allocated"]) * Decimal(row["may_price_nzd"]) == Decimal(row["value_nzd"])


def test_may_prices_are_those_of_the_month_but_for_three_years() -> None:
    months = {row["date"][:4]: Decimal(row["price"]) for row in rows("nz/nzu_month_prices.csv") if row["date"][5:7] == "05"}
    differ = {row["Year"] for row in smelter() if Decimal(row["Mayunitprice"]) != months[row["Year"]]}
    assert differ == {"2011", "2014", "2016"}


def test_decisions_add_up_to_the_published_totals() -> None:
    total: dict[int, int] = defaultdict(int)
    for row in rows("nz/industrial_allocations.csv"):
        total[int(row["year"])] += int(row["units_allocated"])
    assert total[2021] == 6_593_253
    assert law_of(2022).table("statistics.allocated") == dict(total)
    printed = {int(row["Year"]): int(Decimal(row["Allocation"]) * 1_000_000) for row in rows("nz/annual_allocation_totals.csv")}
    assert {year: total[year] - printed[year] for year in total if total[year] != printed[year]} == {2020: 593, 2021: 195}
    of_smelter = {int(row["Year"]): int(row["Units"]) for row in smelter()}
    for row in rows("nz/industrial_allocations.csv"):
        if row["activity"] == "Aluminium smelting":
            assert int(row["units_allocated"]) == of_smelter[int(row["year"])]


def test_the_discount_of_the_totals_is_the_share_that_was_surrendered() -> None:
    """0.25 in 2010: half a year, one unit for two tonnes."""
    for row in rows("nz/annual_allocation_totals.csv"):
        year = int(row["Year"])
        share = Fraction(row["unitdiscount"]) * (2 if year == 2010 else 1)
        assert Fraction(int(answer(law_of(year), "obligation", (), {"verified": 1_000_000, "year": year})), 1_000_000) == share
        assert abs(Decimal(row["Allocation"]) / Decimal(row["unitdiscount"]) - Decimal(row["AllocatedGHG"])) < Decimal("1e-9")


def test_spot_prices_are_above_zero_and_in_order() -> None:
    spot = rows("nz/nzu_spot_prices.csv")
    days = [date.fromisoformat(row["date"]) for row in spot]
    assert len(spot) == 1510
    assert days == sorted(days)
    assert all(Decimal(row["price"]) > 0 for row in spot)


def test_mean_prices_are_those_of_the_daily_file() -> None:
    by_year: dict[int, list[Fraction]] = defaultdict(list)
    for row in rows("prices/icap_daily_prices.csv.gz"):
        if row["system"] == "NZ" and row["series"] == "secondary":
            by_year[int(row["date"][:4])].append(Fraction(row["price"]))
    stored = load("nz-ets", answer).at(date(2026, 1, 1)).table("statistics.mean_price")
    both = {year: price for year, price in stored.items() if year in by_year and len(by_year[year]) > 200}
    assert len(both) >= 6
    assert both == {year: round_decimal(mean(by_year[year]), "0.01", NEAREST) for year in both}


def test_auctions_clear_at_or_above_the_floor_and_the_file_names_the_laws_prices() -> None:
    auctions = [row for row in rows("auctions/icap_auction_prices_and_triggers.csv") if row["system"] == "NZ"]
    assert len(auctions) == 7
    for row in auctions:
        day = date.fromisoformat(row["date"])
        law = load("nz-ets", answer).at(day)
        floor, trigger = law.auction_reserve_price(year=day.year), law.containment_trigger(year=day.year)
        assert (floor, trigger) == (Decimal(row["stability_1"]), Decimal(row["stability_2"]))
        price = row["settlement_price"]
        sold = law.table("statistics.clearing_price") if law.has("statistics.clearing_price") else {}
        assert (not price and day.year == 2023) or Decimal(price) >= floor
        assert not sold or str(day) not in sold or sold[str(day)] == Decimal(price)


def test_declined_auctions_are_those_without_a_price() -> None:
    declined: dict[int, int] = defaultdict(int)
    for row in rows("auctions/icap_auction_prices_and_triggers.csv"):
        if row["system"] == "NZ":
            declined[int(row["date"][:4])] += not row["settlement_price"]
    stored = load("nz-ets", answer).at(date(2026, 1, 1)).table("statistics.auctions_declined")
    assert all(number <= stored[year] for year, number in declined.items())
    assert declined[2021] == stored[2021] == 0
