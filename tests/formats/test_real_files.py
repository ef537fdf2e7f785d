"""Real public records, where they are at hand: sums that their keeper published, and how far our status rule agrees with the printed letters."""

import time
from pathlib import Path

import polars as pl
import pytest

from tonne.formats.faults import BadFile
from tonne.formats.installations import read_installations, read_nace
from tonne.formats.reports import read_reports
from tonne.formats.totals import read_totals
from tonne.formats.transactions import read_transactions
from tonne.law import load

DATA = (Path(__file__).parents[2] / "../shared/data").resolve()
RECORDS = DATA / "eu_ets"
pytestmark = pytest.mark.skipif(not RECORDS.is_dir(), reason=f"no real records at {RECORDS}")


@pytest.fixture(scope="module")
def installations():
    return read_installations(RECORDS / "installations.csv.gz")[0]


@pytest.fixture(scope="module")
def reports(installations):
    return read_reports(RECORDS / "compliance_by_installation_year.csv.gz", installations)[0]


def test_installations_are_all_there(installations):
    assert len(installations) == 11_061
    assert (installations.count(status="open"), installations.count(status="closed")) == (7_538, 3_523)
    # 8,222 places printed as nothing and 1,072 as 0, 0 are unknown alike; a place that is plainly wrong is kept as printed.
    assert installations.frame["latitude"].null_count() == 8_222 + 1_072
    assert installations.lookup("LI_1")["registry"] == "LI"


def test_activity_codes_are_all_known(installations):
    codes = pl.read_csv(RECORDS / "activity_codes.csv", infer_schema=False)
    known = dict(codes.select("activity_code", "activity").rows())
    assert read_installations(RECORDS / "installations.csv.gz", activities=known)[0] == installations
    assert load("eu-ets").at("2021-04-28").value("scope.activity_codes") == known
    del known["20"]
    with pytest.raises(BadFile, match="and 5,062 more"):
        read_installations(RECORDS / "installations.csv.gz", activities=known)


def test_nace_codes_join(installations):
    codes = read_nace(RECORDS / "installation_nace.csv.gz")
    assert codes.height == 10_389  # five of the 10,394 rows come twice
    assert installations.with_nace(codes).frame["nace"].null_count() == 11_061 - 10_375


def test_control_sums(reports):
    totals = {row["year"]: row for row in reports.totals().rows(named=True)}
    assert len(reports) == 132_155
    assert totals[2005]["verified"] == 1_472_966_520
    assert totals[2013]["verified"] == 1_443_954_683
    assert totals[2019]["verified"] == 1_131_659_001
    assert totals[2020]["verified"] == 1_000_735_943
    assert totals[2019]["surrendered"] == 1_130_308_995
    assert totals[2013]["allocated_transitional"] == 95_306_958


def test_the_extract_stays_below_the_published_totals(reports):
    published = read_totals(RECORDS / "control_totals_all_registries.csv")
    assert published.height == 16
    assert published.filter(pl.col("year") == 2013)["verified"].item() == 1_908_126_718
    joined = reports.totals().join(published, on="year", suffix="_all")
    for name in ("allocated", "verified", "surrendered", "installations_with_verified"):
        assert (joined[name] <= joined[f"{name}_all"]).all()


def test_the_one_row_after_the_snapshot_is_found_by_the_years_of_the_law(installations):
    with pytest.raises(BadFile, match="line 48758, column year: '2021': the law covers the years 2005 to 2020") as caught:
        read_reports(RECORDS / "compliance_by_installation_year.csv.gz", installations, law_years=(2005, 2020))
    assert len(caught.value.faults) == 1


def test_reading_is_quick(installations):
    start = time.perf_counter()
    read_reports(RECORDS / "compliance_by_installation_year.csv.gz", installations)
    assert time.perf_counter() - start < 3  # 0.15 s on a quiet machine


def test_published_letters(reports):
    """Of 54,380 letters printed for 2013 to 2019 our rule gives 53,114, counting from 2005; each of the other 1,266 has a reason.

    A letter is fixed at the deadline; the figures beside it are those of the snapshot. A star marks a letter whose figures were changed later.
    """
    frame = reports.frame.join(reports.statuses(2005), on=["installation", "year"], maintain_order="left")
    unlettered = pl.col("published_status").is_null() & pl.col("verified").is_not_null()
    frame = frame.with_columns(
        letter=pl.col("published_status").str.slice(0, 1),
        star=pl.col("published_status").str.contains("*", literal=True).fill_null(False),
    ).with_columns(star_before=pl.col("star").cum_max().over("installation"), unlettered=unlettered.cum_max().over("installation"))
    judged = frame.filter(pl.col("year").is_between(2013, 2019), pl.col("letter").is_not_null())
    assert judged.height == 54_380
    assert judged.filter(pl.col("letter") == pl.col("status")).height == 53_114
    others = judged.filter(pl.col("letter") != pl.col("status"))
    letter, status = pl.col("letter"), pl.col("status")
    reason = (
        pl.when("star")
        .then(pl.lit("figures changed after the letter"))
        .when("star_before")
        .then(pl.lit("figures of an earlier year changed after its letter"))
        .when(letter == "-")
        .then(pl.lit("excluded and printed as without obligation"))
        .when(letter == "C", pl.col("state") == "excluded")
        .then(pl.lit("excluded after the report was found missing"))
        .when(letter == "C", pl.col("verified").is_not_null())
        .then(pl.lit("report entered after the deadline"))
        .when(letter == "A", status == "B", pl.col("unlettered"))
        .then(pl.lit("earlier years entered later, without a letter"))
    )
    counted = dict(others.select(reason.alias("reason"))["reason"].value_counts().rows())
    assert counted == {
        "figures changed after the letter": 928,
        "figures of an earlier year changed after its letter": 318,
        "excluded and printed as without obligation": 7,
        "excluded after the report was found missing": 3,
        "report entered after the deadline": 4,
        "earlier years entered later, without a letter": 6,
    }


@pytest.mark.parametrize(("from_year", "agreed"), [(2005, 53_114), (2008, 53_033), (2013, 52_981)])
def test_debts_and_surpluses_of_earlier_phases_count_on(reports, from_year, agreed):
    frame = reports.frame.join(reports.statuses(from_year), on=["installation", "year"])
    judged = frame.filter(pl.col("year").is_between(2013, 2019), pl.col("published_status").is_not_null())
    assert judged.filter(pl.col("published_status").str.slice(0, 1) == pl.col("status")).height == agreed


def test_the_rule_is_cumulative_and_not_yearly(reports):
    judged = reports.frame.filter(pl.col("year").is_between(2013, 2019), pl.col("published_status") == "A", pl.col("verified").is_not_null())
    short = judged.filter(pl.col("surrendered").fill_null(0) < pl.col("verified"))
    good = reports.statuses(2005).join(short.select("installation", "year"), on=["installation", "year"]).filter(pl.col("status") == "A")
    assert (judged.height, short.height, good.height) == (46_484, 651, 638)


def test_transaction_blocks():
    frame, _ = read_transactions(RECORDS / "transaction_blocks_2005_2012.csv.gz")
    assert frame.height == frame["block_id"].n_unique() == 13_219
    assert frame["timestamp"].is_sorted() and not frame["block_id"].is_sorted()
    assert frame["timestamp"].dtype == pl.Datetime("ms") and frame["timestamp"].null_count() == 0
    assert str(frame["timestamp"][0]) == "2005-06-24 11:08:27.825000"
    assert frame["amount"].sum() == 2_808_308_729
    kinds = dict(frame["kind"].value_counts().rows())
    assert kinds == {
        "transfer": 2_310,
        "cancellation": 246 + 211,
        "surrender": 1_575,
        "replacement": 7_267,
        "issue": 163,
        "allocation": 277,
        "correction": 1,
        "retirement": 1_169,
    }
    # Units issued against others stay in their account and change their type: 163 blocks go from an account to itself.
    assert frame.filter(pl.col("transferring_account") == pl.col("acquiring_account"))["type"].unique().to_list() == ["10-52"]
    # Every credit block names its project, no other block does.
    assert frame.filter(pl.col("project_id").is_not_null() != pl.col("unit_type").is_in(["CER", "ERU"])).height == 0


@pytest.mark.parametrize(
    "name",
    [
        "uk_ets/compliance_report_2025-06-11.csv",
        "us_california/mrr_facility_emissions_2011_2024.csv.gz",
        "canada_ghgrp/facility_emissions_2004_2020.csv.gz",
    ],
)
def test_files_of_other_systems_are_refused_with_what_was_expected(name):
    for read in (read_reports, read_installations):
        with pytest.raises(BadFile, match=r"Expected the columns .* found .*") as caught:
            read(DATA / name)
        assert len(caught.value.faults) == 1


def test_a_wide_file_of_another_system_is_read_through_mappings():
    path = DATA / "us_california/mrr_facility_emissions_2011_2024.csv.gz"
    found, faults = read_reports(path, columns={"installation": "arb_id", "year": "year", "verified": "total_covered"})
    sums = dict(found.totals().select("year", "verified").rows())
    assert sums[2015] == 219_361_801 and sums[2023] == 178_974_018 and faults == []
