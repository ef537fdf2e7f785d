"""The law and the project's own rule of compliance against the public records of the British registry and its auctions, in ../shared/data.

Part of the accounts is left out of the files on purpose; the sums here are those of the part. Rows that cannot be right are named one by one: a new
one fails. Without the files these tests skip.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tonne import rulebook
from tonne.registers.reports import status

SYSTEM = "uk-ets"
DATA = (Path(__file__).parents[2] / "../shared/data").resolve()
YEARS = (2021, 2022, 2023, 2024)
LAST = 2024
#: Accounts that ended before 2024 and still carry a letter for it; the other 40 that ended have none.
LETTER_AFTER_THE_END = {"1000088", "1000613", "1000615"}
#: Ended in 2023 with 43,588 surrendered of 69,046; the register prints no letter for 2024, the rule says B.
ENDED_AND_SHORT = {"1000592"}
#: In the scheme since 2024, no figure for 2024 and no letter either; the rule says C.
NO_FIGURE_AND_NO_LETTER = {"1001368"}
#: Printed C, a figure missing, for a year after the account's last.
MISSING_AFTER_THE_END = {("1000082", 2022)}
#: Printed a letter for a year before the account's first.
LETTER_BEFORE_THE_START = {("1001066", 2023)}
#: Printed EXCLUDED for a year that has a figure.
EXCLUDED_WITH_A_FIGURE = {("1001189", 2022)}
#: Has surrendered without ever having reported.
SURRENDERED_WITHOUT_REPORT = {"1001315"}


def read(path: str) -> pl.DataFrame:
    if not (DATA / path).is_file():
        pytest.skip(f"no records at ../shared/data/{path}")
    return pl.read_csv(DATA / path, infer_schema_length=0).fill_null("")


def number(column: str) -> pl.Expr:
    """Whole numbers of a text column; a remark such as EXCLUDED, or nothing, is null."""
    return pl.col(column).cast(pl.Int64, strict=False)


@pytest.fixture(scope="module")
def accounts() -> pl.DataFrame:
    frame = read("uk_ets/compliance_report_2025-06-11.csv")
    first, last = number("first_year_of_operation").fill_null(0), number("last_year_of_operation").fill_null(9999)
    figures = [number(f"recorded_emissions_{year}").alias(f"e{year}") for year in YEARS]
    return frame.select(
        "operator_id",
        pl.col("^static_surrender_status_.*$"),
        *figures,
        *(pl.col(f"recorded_emissions_{year}").eq("EXCLUDED").alias(f"excluded{year}") for year in YEARS),
        first=first,
        last=last,
        emitted=number("cumulative_emissions"),
        surrendered=number("cumulative_surrenders"),
        letter=pl.col(f"static_surrender_status_{LAST}"),
    )


def ids(frame: pl.DataFrame) -> set[str]:
    return set(frame["operator_id"])


def recomputed(accounts: pl.DataFrame) -> pl.DataFrame:
    """The letter of the last year by the project's rule: missing where 2024 is due and bare; no obligation for who never had to report."""
    due = (pl.col("first") <= LAST) & (pl.col("last") >= LAST)
    frame = accounts.with_columns(
        missing=due & pl.col(f"e{LAST}").is_null() & ~pl.col(f"excluded{LAST}"),
        never=pl.all_horizontal(pl.col(f"e{year}").is_null() for year in YEARS),
    )
    letters = status(
        frame["surrendered"].to_numpy(),
        frame["emitted"].to_numpy(),
        frame["missing"].to_numpy(),
        no_obligation=(frame["never"] & ~frame["missing"]).to_numpy(),
    )
    return frame.with_columns(ours=pl.Series(letters.tolist(), dtype=pl.String))


def test_every_printed_status_is_recomputed(accounts: pl.DataFrame) -> None:
    frame = recomputed(accounts)
    printed = frame.filter(pl.col("letter").is_in(["A", "B", "C"]))
    assert Counter(printed["letter"]) == {"A": 795, "B": 24, "C": 2}
    unlike = printed.filter(pl.col("letter") != pl.col("ours"))
    assert not unlike.height, unlike.select("operator_id", "letter", "ours").rows()


def test_who_has_no_letter_owes_nothing_or_is_named(accounts: pl.DataFrame) -> None:
    frame = recomputed(accounts)
    outside = frame.filter(pl.col("letter").is_in(["EXCLUDED", "NOT_APPLICABLE"]))
    assert Counter(outside["letter"]) == {"EXCLUDED": 26, "NOT_APPLICABLE": 8}
    assert set(outside["ours"]) == {"-"}
    bare = frame.filter(pl.col("letter") == "")
    ended = bare.filter(pl.col("last") < LAST)
    assert (bare.height, ended.height) == (41, 40)
    assert ids(ended.filter(pl.col("ours") == "B")) == ENDED_AND_SHORT
    assert set(ended["ours"]) == {"A", "B", "-"}
    assert ids(bare.filter(pl.col("last") >= LAST)) == ids(bare.filter(pl.col("ours") == "C")) == NO_FIGURE_AND_NO_LETTER


def test_faulty_rows_are_known_by_name(accounts: pl.DataFrame) -> None:
    assert accounts["operator_id"].is_duplicated().sum() == 0
    total = pl.sum_horizontal(pl.col(f"e{year}").fill_null(0) for year in YEARS)
    assert not accounts.filter(total != pl.col("emitted")).height
    assert ids(accounts.filter((pl.col("last") < LAST) & (pl.col("letter") != ""))) == LETTER_AFTER_THE_END
    after: set[tuple[str, int]] = set()
    before: set[tuple[str, int]] = set()
    marked: set[tuple[str, int]] = set()
    for year in YEARS:
        letter = pl.col(f"static_surrender_status_{year}")
        after |= {(account, year) for account in ids(accounts.filter((pl.col("last") < year) & (letter == "C")))}
        before |= {(account, year) for account in ids(accounts.filter((pl.col("first") > year) & letter.is_in(["A", "B", "C", "EXCLUDED"])))}
        marked |= {(account, year) for account in ids(accounts.filter((letter == "EXCLUDED") & pl.col(f"e{year}").is_not_null()))}
    assert (after, before, marked) == (MISSING_AFTER_THE_END, LETTER_BEFORE_THE_START, EXCLUDED_WITH_A_FIGURE)
    reported = pl.any_horizontal(pl.col(f"e{year}").is_not_null() for year in YEARS)
    assert ids(accounts.filter(~reported & (pl.col("surrendered") > 0))) == SURRENDERED_WITHOUT_REPORT


def test_control_sums_of_the_part(accounts: pl.DataFrame) -> None:
    assert [accounts[f"e{year}"].sum() for year in YEARS] == [74_049_559, 72_605_473, 64_230_449, 54_981_247]
    whole = rulebook(SYSTEM).at("2025-06-11").table("statistics.verified_emissions")
    assert all(accounts[f"e{year}"].sum() < whole[year] for year in YEARS)


def test_an_obligation_is_one_allowance_a_tonne(accounts: pl.DataFrame) -> None:
    """Owed by the rulebook for each year, summed, is what the registry calls cumulative emissions."""
    law = rulebook(SYSTEM).at("2025-06-11")
    owed = sum((law.obligation(accounts[f"e{y}"].fill_null(0).to_numpy(), np.full(accounts.height, y)) for y in YEARS), np.int64(0))
    assert (owed == accounts["emitted"].to_numpy()).all()
    short = law.shortfall(owed, accounts["surrendered"].to_numpy())
    assert (short > 0).sum() == 24 + len(ENDED_AND_SHORT)


def test_free_allocation_adds_up() -> None:
    frame = read("uk_ets/allocation_table_2025-12.csv")
    kinds = frame.select("year", *(number(f"allocation_{kind}").alias(kind) for kind in ("standard", "ner", "total")))
    assert not kinds.filter(pl.col("standard") + pl.col("ner") != pl.col("total")).height
    sums = dict(kinds.group_by("year").agg(pl.col("total").sum()).rows())
    expected = {2021: 26_023_824, 2022: 24_740_240, 2023: 22_235_236, 2024: 21_247_980, 2025: 16_205_759, 2026: 15_507_120}
    assert sums == {str(year): total for year, total in expected.items()}


@pytest.fixture(scope="module")
def auctions() -> pl.DataFrame:
    frame = read("auctions/icap_auction_prices_and_triggers.csv").filter(pl.col("system") == "UK")
    return frame.with_columns(month=pl.col("date").str.slice(0, 7))


def test_no_auction_cleared_below_the_floor_of_the_day(auctions: pl.DataFrame) -> None:
    assert auctions.height == 41
    for day, price, floor in auctions.select("date", "settlement_price", "stability_1").iter_rows():
        reserve = rulebook(SYSTEM).at(day).auction_reserve_price(int(day[:4]))
        assert reserve == Decimal(floor) <= Decimal(price)


def test_the_trigger_prices_of_the_auctions_are_those_of_the_rulebook(auctions: pl.DataFrame) -> None:
    known = rulebook(SYSTEM).at("2025-12-31").table("statistics.trigger_price")
    rows = auctions.filter(pl.col("stability_2") != "").select("month", "stability_2").rows()
    assert len(rows) == 35
    assert all(known[month] == Decimal(trigger) for month, trigger in rows)


def test_no_trigger_was_in_use_before_august_2021(auctions: pl.DataFrame) -> None:
    assert set(auctions.filter(pl.col("stability_2") == "")["month"]) == {"2021-05", "2021-06", "2021-07"}


def test_triggers_follow_the_monthly_prices(auctions: pl.DataFrame) -> None:
    """From one month to the next the window takes one month in and lets one go: 24 times the change of the mean is the difference of their prices.

    Official monthly means of futures are not in the data; the means of two or three auctions a month come within 6 pounds of them.
    """
    book = rulebook(SYSTEM)
    known = book.at("2025-12-31").table("statistics.trigger_price")
    mean = {month: sum(map(Decimal, prices)) / len(prices) for month, prices in auctions.group_by("month").agg("settlement_price").iter_rows()}
    months = ["2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-07"]
    for decided, after in pairwise(months):
        law = book.at(f"{after}-01")
        window, before = law.trigger_window(after), law.trigger_window(decided)
        taken, gone = window["window_to"], before["window_from"]
        change = 24 * (known[after] - known[decided]) / law.value("stability.trigger_multiple")
        assert abs(change - (mean[taken] - mean[gone])) < 6, (after, taken, gone)


def test_the_mechanism_was_met_when_it_was_said_to_be() -> None:
    """Monthly means as in the rulebook's cases: met for December 2021 and January 2022, not for February."""
    book = rulebook(SYSTEM)
    known = book.at("2025-12-31").table("statistics.trigger_price")
    means = {"2021-09": "59.98", "2021-10": "60.34", "2021-11": "61.49", "2021-12": "74.71", "2022-01": "78.12"}
    months = sorted(means)
    met = {}
    for decided in ("2021-12", "2022-01", "2022-02"):
        before = [Decimal(means[m]) for m in months if m < decided]
        met[decided] = book.at(f"{decided}-01").price_trigger_is_met(before, known[decided])
    assert met == {"2021-12": True, "2022-01": True, "2022-02": False}
