"""Eight years on thousands of real installations: the sums of the records, the cap and reserve of the whole system, a statement every year."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import tonne
from tonne.interfaces.api import Run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eu_ets"
FILES = (DATA / "installations.csv.gz", DATA / "compliance_by_installation_year.csv.gz")
TOTALS = DATA / "control_totals_all_registries.csv"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real") / "market.db"


@pytest.fixture(scope="module")
def run(log: Path) -> Iterator[Run]:
    if not DATA.is_dir():
        pytest.skip(f"the real records are not at {DATA}")
    with tonne.run("eu-ets", (2013, 2020), *FILES, totals=TOTALS, log=log) as done:
        yield done


def year(run: Run, number: int) -> dict[str, int]:
    return run.table().filter(pl.col("year") == number).row(0, named=True)


def test_the_sums_are_those_of_the_records(run: Run) -> None:
    assert [year(run, y)["verified_loaded"] for y in (2013, 2019, 2020)] == [1_443_954_683, 1_131_659_001, 1_000_735_943]
    assert year(run, 2019)["surrendered_loaded"] == 1_130_308_995
    source = run.outcome.inputs.reports.frame.filter(pl.col("year").is_between(2013, 2020))
    by_year = source.group_by("year").agg(pl.col("verified", "surrendered").sum(), allocated=pl.sum_horizontal("^allocated.*$").sum()).sort("year")
    assert by_year["verified"].to_list() == run.table()["verified_loaded"].to_list()
    assert by_year["allocated"].to_list() == run.table()["allocated_loaded"].to_list()
    assert by_year["surrendered"].to_list() == run.table()["surrendered_loaded"].to_list()


def test_the_remainder_makes_the_sums_those_of_the_whole_system(run: Run) -> None:
    published = pl.read_csv(TOTALS).filter(pl.col("year").is_between(2013, 2020)).sort("year")
    table = run.table()
    assert table["verified"].to_list() == published["verified_tco2e"].to_list()
    assert table["allocated"].to_list() == published["allocated_total"].to_list()
    assert table["surrendered"].to_list() == published["surrendered_units"].to_list()


def test_cap_and_reserve_are_the_law_s(run: Run) -> None:
    assert run.table()["cap"].to_list() == [2_084_301_856 - n * 38_264_246 for n in range(8)]
    assert run.table()["reserve_intake"].to_list() == [0] * 6 + [264_731_936 + 132_392_786, 264_785_572 + 110_839_693]
    # 900 million postponed units and the year's intake: the holding of the end of 2019 as others have published it.
    assert year(run, 2019)["reserve_balance"] == 1_297_124_722


def test_every_difference_in_circulation_is_explained_or_marked(run: Run) -> None:
    statement = run.statement()
    assert statement["name"].to_list() == [f"circulation {y}" for y in range(2013, 2021)]
    assert (statement["difference"] == statement["computed"] - statement["published"]).all()
    assert (statement["unexplained"] == statement["difference"] - statement["explained"]).all()
    assert statement["difference"].to_list()[0] == 0  # by construction: the opening is worked back from this year
    assert all(statement["explanations"].to_list())
    by_name = dict(zip(statement["name"].to_list(), statement["unexplained"].to_list(), strict=True))
    assert by_name["circulation 2018"] == -5_635_157  # measured: a third of a per cent of what was published


def test_each_status_follows_the_cumulative_rule(run: Run) -> None:
    statuses = run.outcome.state.statuses.filter(~pl.col("interim"), pl.col("year") >= 2013)
    wrong = statuses.filter(
        ((pl.col("status") == "A") & (pl.col("surrendered") < pl.col("owed")))
        | ((pl.col("status") == "B") & (pl.col("surrendered") >= pl.col("owed")))
    )
    assert not wrong.height
    agreement = run.agreement()
    assert agreement["compared"].sum() == 54_380
    assert agreement["agreeing"].sum() == 53_099  # the rest: tests/formats/test_real_files.py names why


def test_nothing_is_created_or_lost_and_a_second_run_changes_nothing(run: Run, log: Path) -> None:
    run.outcome.state.books.check()
    before = run.state_hash
    run.close()
    with tonne.run("eu-ets", (2013, 2020), *FILES, totals=TOTALS, log=log) as again:
        assert again.state_hash == before
        assert len(again.outcome.state.books.transfers) == len(run.outcome.state.books.transfers)


def test_without_totals_the_rulebook_s_own_figures_serve(log: Path) -> None:
    if not DATA.is_dir():
        pytest.skip(f"the real records are not at {DATA}")
    with tonne.run("eu-ets", (2019, 2019), *FILES) as alone:
        row = alone.table().row(0, named=True)
        assert row["verified_loaded"] == 1_131_659_001
        assert row["verified"] == 1_530_000_000
