"""Runs made up by hand, each with another shape: whole, synthetic without a reserve, and empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tonne.law import load
from tonne.ledger.statement import Statement, statements_frame
from tonne.reports.data import RunData

TABLE = {
    "year": pl.Int64, "cap": pl.Int64, "allocated": pl.Int64, "allocated_loaded": pl.Int64, "auctioned": pl.Int64, "verified": pl.Int64,
    "verified_loaded": pl.Int64, "surrendered": pl.Int64, "surrendered_loaded": pl.Int64, "circulation": pl.Int64,
    "circulation_published": pl.Int64, "reserve_intake": pl.Int64, "reserve_placed": pl.Int64, "reserve_balance": pl.Int64,
}  # fmt: skip
COMPLIANCE = {"year": pl.Int32, "status": pl.String, "installations": pl.UInt32}
SECTORS = {"sector": pl.String, "year": pl.Int32, "allocated": pl.Int64, "verified": pl.Int64}
FLOWS = {"year": pl.Int64, "what": pl.String, "transfers": pl.UInt32, "quantity": pl.Int64}
AGREEMENT = {"year": pl.Int32, "compared": pl.UInt32, "agreeing": pl.UInt32}
MONEY = {"year": pl.Int64, "received": pl.Int64, "fined_low": pl.Int64, "fined_high": pl.Int64}
AUCTIONS = {
    "year": pl.Int64, "day": pl.Date, "outcome": pl.String, "price": pl.Decimal(38, 2), "reserve": pl.Decimal(38, 2),
    "ceiling": pl.Decimal(38, 2), "offered": pl.Int64, "sold": pl.Int64, "unsold": pl.Int64, "proceeds_minor": pl.Int64,
}  # fmt: skip
LABEL = "SYNTHETIC: 40 installations drawn from seed 1. Nothing in it is real <&>."


def _data(system: str, day: str, years: tuple[int, int], label: str = "", **frames: Any) -> RunData:
    law = load(system).at(day)
    empty = {
        "table": pl.DataFrame(schema=TABLE), "compliance": pl.DataFrame(schema=COMPLIANCE), "sectors": pl.DataFrame(schema=SECTORS),
        "flows": pl.DataFrame(schema=FLOWS), "agreement": pl.DataFrame(schema=AGREEMENT), "statement": statements_frame([]),
        "money": pl.DataFrame(schema=MONEY),
    }  # fmt: skip
    return RunData(law.system, law, *years, **(empty | frames), label=label, seconds=1.25, state_hash="ab" * 32)


@pytest.fixture
def made() -> Callable[..., RunData]:
    """Makes a run of whatever frames a test gives."""
    return _data


@pytest.fixture(scope="session")
def whole() -> RunData:
    """Two years with a cap, auctions, a reserve, a remainder, published figures and a difference that nobody explains."""
    million = 1_000_000
    table = [
        (2018, 1_892_980_626, 748 * million, 543 * million, 916 * million, 1_683_113_624, 1_260_463_185, 1_679 * million, 1_256 * million,
         1_225_744_667, 1_654_909_824, 0, 0, 0),
        (2019, 1_854_716_380, 720 * million, 527 * million, 589 * million, 1_530_203_149, 1_131_659_001, 1_527 * million, 1_130 * million,
         1_005_169_374, 1_385_496_166, 397_124_722, 900 * million, 1_297_124_722),
    ]  # fmt: skip
    statement = [
        Statement("circulation 2018", date(2018, 12, 31), 1_225_744_667, 1_654_909_824, "a notice [source]", (("credits exchanged", -423_530_000),)),
        Statement("circulation 2019", date(2019, 12, 31), 1_385_496_166, 1_385_496_166, "another notice [recall]"),
    ]
    letters = [(2018, "A", 8_203), (2018, "B", 171), (2018, "C", 126), (2018, "-", 1), (2019, "A", 8_276), (2019, "B", 125)]
    auctions = [
        (2018, date(2018, 3, 5), "cleared", "10.00", "9.00", None, 3_000, 3_000, 0, 3_000_000),
        (2018, date(2018, 9, 3), "cleared", "13.00", "9.00", None, 1_000, 1_000, 0, 1_300_000),
        (2019, date(2019, 3, 4), "cleared", "25.10", "9.50", "30.00", 1_000, 500, 500, 1_255_000),
        (2019, date(2019, 9, 2), "cancelled", None, "9.75", "30.00", 2_000, 0, 2_000, 0),
    ]  # fmt: skip
    sold = [tuple(Decimal(cell) if isinstance(cell, str) and "." in cell else cell for cell in row) for row in auctions]
    sectors = [(f"sector {n:02}", year, n * million, (20 - n) * million) for n in range(1, 16) for year in (2018, 2019)]
    return _data(
        "eu-ets",
        "2020-09-01",
        (2018, 2019),
        auctions=pl.DataFrame(sold, schema=AUCTIONS, orient="row"),
        table=pl.DataFrame(table, schema=TABLE, orient="row"),
        statement=statements_frame(statement),
        compliance=pl.DataFrame(letters, schema=COMPLIANCE, orient="row"),
        sectors=pl.DataFrame([*sectors, ("nothing", 2018, 0, 0)], schema=SECTORS, orient="row"),
        flows=pl.DataFrame([(2018, "allocate", 5, 748 * million), (2018, "carry_over", 1, 3)], schema=FLOWS, orient="row"),
        agreement=pl.DataFrame([(2018, 7_635, 7_511)], schema=AGREEMENT, orient="row"),
    )


@pytest.fixture(scope="session")
def plain() -> RunData:
    """One synthetic control period of short tons: no free allocation, no reserve, nothing published, all in compliance at its end."""
    table = [
        (2021, 100_677_454, 0, 0, 90_609_708, 90_609_708, 90_609_708, 45_304_968, 45_304_968, None, None, 0, 0, 0),
        (2022, 97_022_454, 0, 0, 87_320_208, 87_320_208, 87_320_208, 43_660_229, 43_660_229, None, None, 0, 0, 0),
        (2023, 93_367_454, 0, 0, 84_030_708, 84_030_708, 84_030_708, 172_993_774, 172_993_774, 1_653, None, 0, 0, 0),
    ]
    return _data(
        "rggi",
        "2024-03-02",
        (2021, 2023),
        LABEL,
        table=pl.DataFrame(table, schema=TABLE, orient="row"),
        compliance=pl.DataFrame([(2023, "A", 40)], schema=COMPLIANCE, orient="row"),
        sectors=pl.DataFrame([("power", 2023, 0, 84_030_708)], schema=SECTORS, orient="row"),
    )


@pytest.fixture(scope="session")
def empty() -> RunData:
    """A run of which nothing came, in a system without a cap ahead."""
    row = {name: 0 for name in TABLE} | {"year": 2022, "cap": None, "circulation": None, "circulation_published": None}
    return _data("china-national-ets", "2023-12-31", (2022, 2022), table=pl.DataFrame([row], schema=TABLE))
