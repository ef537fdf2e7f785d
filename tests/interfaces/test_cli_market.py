"""`tonne market`: order flow written, read back in every form, put through the book, audited; and files that are refused with row and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from tonne.formats.faults import BadFile
from tonne.formats.flow import instruments_beside, read_flow, read_instruments, write_flow
from tonne.interfaces.cli import app
from tonne.market.order_book import OrderBook
from tonne.market.orders import Instruction, InstrumentRules, Matching, OrderFlag, Phase, instructions_of
from tonne.market.plain_book import PlainBook
from tonne.simulation.order_flow import flow_rules, order_flow

HEADER = "time,verb,order,account,instrument,side,kind,price,quantity"


def call(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["market", *args])
    assert result.exit_code == code, (result.exit_code, result.stdout[-2000:], result.stderr[-2000:], result.exception)
    return result


def answer(*args: str, code: int = 0) -> Any:
    return json.loads(call(*args, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flow") / "flow.csv"
    call("flow", "--seed", "3", "--count", "4000", "--rows-a-day", "1500", "--out", str(path))
    return path


# writing and replaying


def test_a_generated_flow_is_written_with_its_instruments_and_the_same_again(flow: Path, tmp_path: Path) -> None:
    rows, faults = read_flow(flow)
    assert len(rows) == 4_000 and faults == [] and read_instruments(flow.with_name("flow.instruments.csv")) == flow_rules(4, 3)
    again = tmp_path / "again.csv"
    told = answer("flow", "--seed", "3", "--count", "4000", "--rows-a-day", "1500", "--out", str(again))
    assert again.read_bytes() == flow.read_bytes() and told["files"] == [str(again), str(tmp_path / "again.instruments.csv")]
    before = again.read_bytes()
    refused = call("flow", "--seed", "4", "--out", str(again), code=1)
    assert "there already" in refused.stderr and again.read_bytes() == before
    call("flow", "--seed", "4", "--count", "9", "--out", str(again), "--overwrite")
    assert len(read_flow(again)[0]) == 9


def test_a_replay_tells_what_the_book_says(flow: Path) -> None:
    told = answer("replay", str(flow), "--audit")
    rows, rules = read_flow(flow)[0], flow_rules(4, 3)
    book = OrderBook(rules)
    executions = book.submit(rows)
    deals = executions[executions["happening"] == 1]
    assert told["state_hash"] == book.state_hash().hex() and told["audit"] == "agrees" and told["events"] == len(executions)
    assert sum(row["trades"] for row in told["instruments"]) == len(deals) == sum(row["trades"] for row in told["bars"])
    assert sum(row["volume"] for row in told["instruments"]) == int(deals["quantity"].sum())
    assert [row["matching"] for row in told["instruments"]] == ["price_time", "pro_rata", "seeded_random", "takers_choice"]
    assert sum(told["refusals"].values()) == int((executions["happening"] == 3).sum()) and told["refusals"]["order_not_open"] > 0
    assert told["cancelled"]["asked_for"] > 0 and {"begins", "orders", "trades", "sentence"} <= set(told["alerts"][0])
    assert {row["day"] for row in told["bars"]} == {"2024-10-04", "2024-10-05", "2024-10-06"} and told["per_second"] > 0


def test_a_replay_prints_tables_refusals_and_the_hash(flow: Path) -> None:
    text = call("replay", str(flow), "--audit").stdout
    for words in (
        "4,000 instructions",
        "By instrument",
        "takers_choice",
        "Daily bars",
        "Refused:",
        "order_not_open",
        "Alerts:",
        "agrees on every event",
    ):
        assert words in text, words
    assert "state hash " in text and "a second" in text and max(map(len, text.splitlines())) <= 140


def test_all_forms_of_a_file_give_the_same_state(flow: Path, tmp_path: Path) -> None:
    rows, rules = read_flow(flow)[0], flow_rules(4, 3)
    hashes = {answer("replay", str(flow))["state_hash"]}
    for ending in (".npz", ".parquet", ".csv.gz"):
        path = tmp_path / f"flow{ending}"
        write_flow(rows, path, rules, overwrite=True)
        hashes.add(answer("replay", str(path))["state_hash"])
    assert len(hashes) == 1
    assert instruments_beside(tmp_path / "flow.npz") is None and read_instruments(tmp_path / "flow.npz") == rules


def test_everything_goes_into_a_folder_once(flow: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    told = answer("replay", str(flow), "--out", str(folder))
    assert {path.name for path in folder.iterdir()} == {
        "trades.parquet", "bars.csv", "best_prices.parquet", "auctions.csv", "refusals.csv", "alerts.json",
    }  # fmt: skip
    trades = pl.read_parquet(folder / "trades.parquet")
    assert trades.height == sum(row["trades"] for row in told["instruments"]) and len(told["files"]) == 6
    assert json.loads((folder / "alerts.json").read_text("utf-8")) == told["alerts"]
    assert pl.read_csv(folder / "refusals.csv")["refused"].sum() == sum(told["refusals"].values())
    refused = call("replay", str(flow), "--out", str(folder), code=1)
    assert "--overwrite" in refused.stderr and not refused.stdout
    call("replay", str(flow), "--out", str(folder), "--overwrite")


def test_the_audit_finds_a_book_that_differs(flow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(PlainBook):
        def submit(self, instructions: Any) -> Any:
            rows = super().submit(instructions)
            rows["left"][rows["happening"] == 1] = 0
            return rows

    monkeypatch.setattr("tonne.market.plain_book.PlainBook", Forgetful)
    told = answer("replay", str(flow), "--audit", code=1)
    assert told["audit"].startswith("event ") and "the fast book says" in told["audit"]
    assert "DIFFERENT" in call("replay", str(flow), "--audit", code=1).stdout


def test_the_benchmark_flow_makes_its_published_trades(tmp_path: Path) -> None:
    path = tmp_path / "bench.npz"
    call("flow", "--benchmark", "--count", "20000", "--out", str(path))
    (row,) = answer("replay", str(path))["instruments"]
    assert (row["trades"], row["volume"]) == (5_170, 19_796)


# a file by hand


def by_hand(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "hand.csv"
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


def test_a_small_file_by_hand_needs_few_columns(tmp_path: Path) -> None:
    path = by_hand(tmp_path, "new,1,7,buy,101,5", "New,2,8,sell,100,3", "cancel,1,7,,,", header="verb,order,account,side,price,quantity")
    result = call("replay", str(path))
    assert "No instruments are given: 1 with price-time" in result.stderr
    told = answer("replay", str(path), "--audit")
    (row,) = told["instruments"]
    assert (row["trades"], row["volume"], row["last"]) == (1, 3, 101) and told["cancelled"] == {"asked_for": 1} and told["refusals"] == {}


def test_words_numbers_moments_days_and_marks_are_read(tmp_path: Path) -> None:
    path = by_hand(
        tmp_path,
        "2026-01-05T09:30:00.000001,new,1,7,0,buy,limit,101,5,gtd,2026-01-05,post_only+256",
        "1767605400000002,0,2,7,0,1,1,0,5,1,0,1",
        "2026-01-05 09:30,-1,2,7,99,9,,0,0,,-4,",
        header=f"{HEADER},lasting,expires,flags",
    )
    rows, _ = read_flow(path)
    assert rows["time"].tolist() == [1_767_605_400_000_001, 1_767_605_400_000_002, 1_767_605_400_000_000]
    assert rows["expires"].tolist() == [20_458, 0, -4] and rows["flags"].tolist() == [257, 1, 0] and rows["verb"].tolist() == [0, 0, -1]
    assert rows["kind"].tolist() == [0, 1, 0] and rows["lasting"].tolist() == [2, 1, 0] and rows["side"].tolist() == [0, 1, 9]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,nwe,1,7,0,buy,limit,101,5", "line 2, column verb: 'nwe': no word for a verb; did you mean 'new'?"),
        ("1,new,x,7,0,buy,limit,101,5", "line 2, column order: 'x'"),
        (
            "1,new,1,7,0,buy,limit,101.5,5",
            "line 2, column price: '101.5': prices are in ticks, whole numbers: with a tick of 0.01 write 83.50 as 8350",
        ),
        ("1,new,1,7,0,buy,limit,83.50,5", "line 2, column price: '83.50': prices are in ticks"),
        ("1,new,1,99999999999,0,buy,limit,101,5", "line 2, column account: '99999999999': does not fit"),
        ("1,new,1,7,0,200,limit,101,5", "line 2, column side: '200': does not fit; -128 to 127 do"),
        ("5.1.2026,new,1,7,0,buy,limit,101,5", "line 2, column time: '5.1.2026': neither a whole number nor a moment"),
        ("1,new,1,7,0,,limit,101,5", "line 2, column side: empty, but this order needs it"),
        ("1,new,1,7,0,buy,limit,,5", "line 2, column price: empty, but this order needs it"),
        ("1,new,1,7,0,buy,market,,", "line 2, column quantity: empty, but this order needs it"),
        ("1,new,1,7,0,buy,stop,,5", "line 2, column stop: empty, but this order needs it"),
        ("1,,1,7,0,buy,limit,101", "line 2"),
    ],
)
def test_a_bad_row_is_refused_with_line_and_column(row: str, message: str, tmp_path: Path) -> None:
    result = call("replay", str(by_hand(tmp_path, row, "2,new,2,7,0,buy,limit,100,5")), code=1)
    assert message in result.stderr and "Traceback" not in result.stderr and not result.stdout


def test_a_fault_is_told_once_and_no_advice_names_what_is_not_there(tmp_path: Path) -> None:
    text = call("replay", str(by_hand(tmp_path, "1,new,1,7,0,buy,limit,83.50,5")), code=1).stderr
    assert text.count("line 2") == 1 and "--skip-bad" in text
    path = tmp_path / "instruments.csv"
    path.write_text("matching,lowest_price\nfair,1\n", "utf-8")
    text = call("replay", str(by_hand(tmp_path, "1,new,1,7,0,buy,limit,83,5")), "--instruments", str(path), code=1).stderr
    assert "line 2, column matching: 'fair'" in text and "--skip-bad" not in text


def test_no_row_for_an_instrument_that_nobody_named(tmp_path: Path) -> None:
    path = by_hand(tmp_path, "1,new,1,7,2,buy,limit,101,5")
    assert [row["instrument"] for row in answer("replay", str(path))["instruments"]] == [2]
    path.with_name("hand.instruments.csv").write_text("matching\nprice_time\nprice_time\nprice_time\n", "utf-8")
    assert [row["instrument"] for row in answer("replay", str(path))["instruments"]] == [0, 1, 2]


def test_bad_rows_may_be_left_out_and_written_down(tmp_path: Path) -> None:
    path = by_hand(tmp_path, "1,new,1,7,0,buy,limit,101,5", "2,new,2,7,0,up,limit,101,5", "3,new,3,7,0,buy,limit,99,x")
    rejects = tmp_path / "rejects.csv"
    call("replay", str(path), "--rejects", str(rejects), code=1)
    assert len(rejects.read_text("utf-8").splitlines()) == 3
    told = answer("replay", str(path), "--skip-bad")
    assert told["instructions"] == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("verb,order,account,side,prize,quantity", "column prize: this column is not known; did you mean 'price'?"),
        ("verb,order,side,price,quantity", "column account: this column is missing"),
        ("Verb,Order,Account,side,price,quantity", "column verb: this column is missing; did you mean 'Verb'?"),
        ("verb,order,account,side,Price,quantity", "column Price: this column is not known; did you mean 'price'?"),
        ("a,b,c", "this is no file of order flow"),
    ],
)
def test_a_wrong_header_is_refused(header: str, message: str, tmp_path: Path) -> None:
    result = call("replay", str(by_hand(tmp_path, ",".join("1" * len(header.split(","))), header=header)), code=1)
    assert message in result.stderr


def test_files_that_are_no_flow(tmp_path: Path) -> None:
    assert "/nowhere.csv: cannot be read" in call("replay", "/nowhere.csv", code=1).stderr
    assert "/nowhere.npz: cannot be read" in call("replay", "/nowhere.npz", code=1).stderr
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no zip")
    assert "damaged" in call("replay", str(bad), code=1).stderr
    np.savez(bad, other=np.zeros(3))
    assert "holds no array `instructions`" in call("replay", str(bad), code=1).stderr
    np.savez(bad, instructions=np.zeros(3))
    assert "dtype INSTRUCTION is expected" in call("replay", str(bad), code=1).stderr
    np.savez(bad, instructions=order_flow(3, 1), instruments=np.full((1, 10), 99))
    assert "`instruments` cannot be used" in call("replay", str(bad), code=1).stderr
    np.savez(bad, instructions=np.array([{}], dtype=object))
    assert "damaged" in call("replay", str(bad), code=1).stderr
    assert "must end in one of" in call("flow", "--out", str(tmp_path / "flow.txt"), code=1).stderr
    assert "no folder" in call("flow", "--out", str(tmp_path / "no" / "flow.csv"), code=1).stderr
    assert "--timezone" in call("replay", str(bad), "--timezone", "Moon/Base", code=2).stderr
    assert "--rows-a-day" in call("flow", "--out", str(bad), "--instruments", "900", "--rows-a-day", "1000", code=2).stderr


def test_instruments_are_read_and_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "instruments.csv"
    path.write_text("matching,lowest_price,highest_price,phase,breaker\npro_rata,10,90,pre_open,\ntakers_choice,,,,\n", "utf-8")
    assert read_instruments(path) == (
        InstrumentRules(Matching.PRO_RATA, 10, 90, phase=Phase.PRE_OPEN), InstrumentRules(Matching.TAKERS_CHOICE),
    )  # fmt: skip
    path.write_text("matching,lowest_price,highest_price\nprice_time,1,9\nprice_time,9,1\nfair,1,9\n", "utf-8")
    with pytest.raises(BadFile) as refused:
        read_instruments(path)
    assert "line 3" in str(refused.value) and "they must rise" in str(refused.value) and "line 4, column matching: 'fair'" in str(refused.value)
    flow = by_hand(tmp_path, "1,new,1,7,0,buy,limit,101,5")
    path.write_text("matching,highest_price\nprice_time,100\n", "utf-8")
    assert answer("replay", str(flow), "--instruments", str(path))["refusals"] == {"bad_price": 1}


def test_what_is_written_is_what_is_read_even_when_it_is_wrong(tmp_path: Path) -> None:
    """Every field at its ends: what a sender can send, a file can hold."""
    rows = instructions_of(
        [
            Instruction(2**63 - 1, -(2**63), 2**63 - 1, -1, 7, 2**62, 2**63 - 1, -(2**31), 2**31 - 1, 2**31 - 1, -(2**15), 127, -128, 5, 9, 6, 9, -3),
            Instruction(time=-5, expires=-(2**31), flags=int(OrderFlag.SENDERS) | 1),
            Instruction(time=253_402_300_799_999_999, expires=2_932_896),
            Instruction(time=1, expires=1),
        ]
    )
    for ending in (".csv", ".csv.gz", ".parquet", ".npz"):
        path = tmp_path / f"wild{ending}"
        write_flow(rows, path)
        assert (read_flow(path)[0] == rows).all(), ending
