"""`tonne market day`: what it prints, as JSON, on a log, into a folder; and what it will not do."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from tonne.interfaces import cli_market_day
from tonne.interfaces.api import rulebook
from tonne.interfaces.cli import app
from tonne.simulation.trading_floor import busiest_system, floor_of
from tonne.store import open_log

DAY = ("market", "day", "eu-ets", "--participants", "12")


def call(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "120"})
    assert result.exit_code == code, (result.exit_code, result.stdout[-2000:], result.stderr[-2000:], result.exception)
    return result


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A day on a log with its files, and what was printed."""
    place = tmp_path_factory.mktemp("day")
    printed = call(*DAY, "--log", str(place / "day.log"), "--out", str(place / "files")).stdout
    return place / "day.log", place / "files", printed


def test_it_says_everything_an_official_asks(kept: tuple[Path, Path, str]) -> None:
    printed = " ".join(kept[2].split())
    for words in (
        "SYNTHETIC: everybody who takes part is generated",
        "Auction 2026-12-14: cleared at",
        "ice-eua-futures:2026-12",
        "Volatility call 2026-12-14 10:15:00 to 10:20:00: eex-eua-spot",
        "Halt 2026-12-14 12:45:00 to 13:00:00",
        "price_limit",
        "Margin calls:",
        "synthetic-02 cannot pay (2026-12-15)",
        "assessments on the others",
        "Spot trades settled: 2026-12-10",
        "exercised, 100 lots become futures",
        "synthetic-05 failed 60 lots, settled in money",
        "layering, ice-eua-futures:2026-12, synthetic-04",
        "Units and money add up: every unit type sums to zero",
        "no differences",
        "state hash ",
        "First price 73.45 EUR a unit: the newest published: mean auction price, 2025. A lot is 1,000 EUA.",
        "ice-eua-options:2026-12:call:",
        ".00 EUR. Trading on 2026-12-09",
        "Beside: lots of deals that two parties agreed outside the order book",
    ):
        assert words in printed, words
    assert max(len(line) for line in kept[2].splitlines() if not line.startswith(("wrote", "log verified"))) <= 120


def test_no_code_is_broken_and_one_lot_is_one_lot(kept: tuple[Path, Path, str]) -> None:
    rows = [line for line in kept[2].splitlines() if line.startswith("ice-eua-")]
    assert any(line.startswith("ice-eua-futures:2026-12 ") for line in rows) and any(":call:" in line.split()[0] for line in rows)
    assert "1 lots" not in " ".join(kept[2].split()).replace("01 lots", "")
    narrow = CliRunner().invoke(app, list(DAY), env={"COLUMNS": "80"}).stdout
    assert max(map(len, narrow.split("log verified")[0].splitlines())) <= 80 and "(continued)" in narrow and "ice-eua-futures:2026-12 " in narrow


@pytest.mark.parametrize(("system", "price", "what"), [("uk-ets", "48.06", "mean auction price, 2025"), ("rggi", "26.73", "number 70 of 2025")])
def test_the_first_price_is_the_newest_published(system: str, price: str, what: str) -> None:
    floor = floor_of(rulebook(system), 2026)
    assert floor.price == Decimal(price) and what in floor.price_from
    assert floor_of(rulebook(system), 2026, Decimal(50)).price_from == "as asked for"


def test_where_nothing_is_published_the_law_or_a_round_figure_says() -> None:
    assert "the law's own price for 2026" in floor_of(rulebook("japan-gx-ets"), 2026).price_from
    assert "a round figure, because no price of CCC is known" in floor_of(rulebook("india-ccts"), 2026).price_from
    assert floor_of(rulebook("uk-ets"), 2023).price == Decimal("53.36")


def test_the_log_is_a_market_and_goes_on(kept: tuple[Path, Path, str]) -> None:
    log, _, printed = kept
    with open_log(str(log), mode="read") as entries:
        before = entries.head().sequence
    again = call(*DAY, "--log", str(log)).stdout
    assert again.splitlines()[-1] == next(line for line in printed.splitlines() if line.startswith("state hash"))
    with open_log(str(log), mode="read") as entries:
        assert entries.head().sequence == before  # nothing is done twice
    assert "another day" in call(*DAY, "--seed", "9", "--log", str(log), code=1).stderr
    assert call("log", "verify", str(log)).stdout.startswith("Sound: ")


def test_the_files_hold_the_day(kept: tuple[Path, Path, str]) -> None:
    folder = kept[1]
    assert sorted(path.name for path in folder.iterdir()) == sorted(cli_market_day.FILES)
    trades = pl.read_parquet(folder / "trades.parquet")
    bars = pl.read_csv(folder / "bars.csv")
    assert trades.height > 100 and trades["quantity"].sum() == bars["volume"].sum()
    kinds = {alert["kind"] for alert in json.loads((folder / "alerts.json").read_text())}
    assert {"wash_trade", "layering"} <= kinds
    assert "there already" in call(*DAY, "--out", str(folder), code=1).stderr
    call(*DAY, "--out", str(folder), "--overwrite")


def test_as_json_and_the_same_every_time() -> None:
    first, second = (json.loads(call(*DAY, "--seed", "4", "--json").stdout) for _ in range(2))
    for told in (first, second):
        assert told.pop("seconds") > 0
    assert first == second and first["faults"] == [] and all(first["adds_up"].values())
    assert first["auction"]["outcome"] == "cleared" and first["default"]["uncovered"] == 0
    assert sum(row["used"] for row in first["default"]["waterfall"]) == first["default"]["loss"]


def test_without_a_system_the_one_with_most_contracts() -> None:
    assert busiest_system(2026) == "eu-ets"


def test_a_system_whose_law_clears_no_bids_has_no_auction() -> None:
    printed = call("market", "day", "china-national-ets", "--participants", "12").stdout
    assert "Auction: none, because the law does not say how bids are cleared." in printed
    assert "no venue's file has a future on CEA" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--price", "dear"), "is no price"),
        (("--price", "0"), "above zero"),
        (("--price", "-1"), "above zero"),
        (("--participants", "3"), "12"),
        (("--year", "1999"), "2000"),
    ],
)
def test_what_it_will_not_do(args: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(app, [*DAY, *args])
    assert result.exit_code in (1, 2) and words in result.stderr
