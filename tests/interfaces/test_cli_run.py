"""`tonne run`, `tonne demo` and `tonne log`: a market on generated installations, from command to backup."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app
from tonne.interfaces.cli_run import spread_columns
from tonne.law.catalogue import SHIPPED

YEARS = ("--from", "2013", "--to", "2014")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eu_ets"


def call(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, (result.exit_code, result.stdout[-2000:], result.stderr[-2000:], result.exception)
    return result


def answer(*args: str, code: int = 0) -> Any:
    return json.loads(call(*args, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A run of two years with everything it writes: (folder, log, what it printed)."""
    folder = tmp_path_factory.mktemp("run")
    log = folder / "market.log"
    result = call("run", "eu-ets", *YEARS, "--synthetic", "40", "--log", str(log), "--out", str(folder / "out"))
    return folder / "out", log, result.stdout


# -- run


def test_run_prints_the_label_the_years_the_letters_and_the_hash(market: tuple[Path, Path, str]) -> None:
    text = market[2]
    for words in ("2013 to 2014", "SYNTHETIC: 40 installations", "2,084,301,856", "Compliance: installations by status", "Statement of circulation"):
        assert words in text, words
    assert re.search(r"state hash [0-9a-f]{64}", text) and max(map(len, text.splitlines())) <= 160


def test_run_writes_tables_charts_and_the_report(market: tuple[Path, Path, str]) -> None:
    import polars as pl

    out = market[0]
    names = {path.name for path in out.iterdir()}
    assert names == {
        "table.csv", "table.parquet", "statement.csv", "auctions.csv", "statuses.parquet", "report.html", "supply.png", "circulation.png",
        "auctions.png", "allocation.png", "compliance.png",
    }  # fmt: skip
    assert pl.read_parquet(out / "table.parquet").equals(pl.read_csv(out / "table.csv", schema=pl.read_parquet_schema(out / "table.parquet")))
    assert "SYNTHETIC" in (out / "report.html").read_text("utf-8") and (out / "supply.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_there_is_not_overwritten_unless_asked(market: tuple[Path, Path, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(market[0], out)
    before = (out / "table.csv").read_bytes()
    result = call("run", "eu-ets", *YEARS, "--synthetic", "41", "--out", str(out), code=1)
    assert "table.csv" in result.stderr and "--overwrite" in result.stderr and (out / "table.csv").read_bytes() == before
    call("run", "eu-ets", *YEARS, "--synthetic", "41", "--out", str(out), "--overwrite")
    assert (out / "table.csv").read_bytes() != before


def test_run_json_is_json_only_and_the_same_again() -> None:
    first = answer("run", "eu-ets", *YEARS, "--synthetic", "40", "--seed", "3")
    assert set(first) >= {
        "system", "first_year", "last_year", "synthetic", "state_hash", "seconds", "faults", "years", "statement", "compliance", "agreement",
    }  # fmt: skip
    assert [row["year"] for row in first["years"]] == [2013, 2014] and first["years"][0]["cap"] == 2_084_301_856
    names = "year cap allocated auctioned verified verified_loaded surrendered circulation reserve_intake reserve_balance"
    assert set(names.split()) <= set(first["years"][0]) and first["synthetic"].startswith("SYNTHETIC") and first["faults"] == 0
    assert answer("run", "eu-ets", *YEARS, "--synthetic", "40", "--seed", "3")["state_hash"] == first["state_hash"]
    assert answer("run", "eu-ets", *YEARS, "--synthetic", "40", "--seed", "4")["state_hash"] != first["state_hash"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "--installations and --reports not given"),
        (("--installations", "x.csv"), 2, "--reports not given"),
        (("--synthetic", "5", "--reports", "x.csv"), 2, "do not go together"),
        (("--synthetic", "0"), 2, "--synthetic"),
        (("--synthetic", "5", "--to", "2012"), 2, "is before the first"),
        (("--synthetic", "5", "--columns", "year"), 2, "--columns"),
        (("--synthetic", "5", "--from", "1990", "--to", "1991"), 1, "eu-ets has no law on 199"),
        (("--synthetic", "5", "--scenario", "nope"), 1, "eu-ets has no scenario 'nope'"),
        (("--installations", "/nowhere.csv", "--reports", "/nowhere.csv"), 1, "/nowhere.csv: cannot be read"),
    ],
)
def test_a_run_that_cannot_be(args: tuple[str, ...], code: int, message: str) -> None:
    result = call("run", "eu-ets", *YEARS, *args, code=code)
    assert message in " ".join(result.stderr.split()) and "Traceback" not in result.stderr and not result.stdout


def test_a_bad_file_is_refused_whole_with_every_fault_and_a_rejects_file(tmp_path: Path) -> None:
    installations, reports, rejects = tmp_path / "i.csv", tmp_path / "r.csv", tmp_path / "rejects.csv"
    installations.write_text("installation,name,sector\nA,First,steel\nB,Second,cement\n", "utf-8")
    reports.write_text("installation,year,verified,state\nA,2013,100,verified\nB,2013,-5,verified\nC,2013,7,verified\n", "utf-8")
    args = ("run", "eu-ets", "--from", "2013", "--to", "2013", "--installations", str(installations), "--reports", str(reports))
    result = call(*args, "--rejects", str(rejects), code=1)
    assert "r.csv line 3, column verified: '-5'" in result.stderr and "r.csv line 4" in result.stderr and "--skip-bad" in result.stderr
    assert len(rejects.read_text("utf-8").splitlines()) == 3 and "Traceback" not in result.stderr


def test_columns_take_every_pair_that_follows() -> None:
    assert spread_columns(["--columns", "year=yr", "verified=t", "--json"]) == ["--columns=year=yr", "--columns=verified=t", "--json"]
    assert spread_columns(["--columns=year=yr", "x"]) == ["--columns=year=yr", "x"]
    assert spread_columns(["--columns"]) == ["--columns"]


# -- the log


def test_log_verify_replay_show_and_info(market: tuple[Path, Path, str]) -> None:
    log, printed = str(market[1]), market[2]
    verified = answer("log", "verify", log)
    assert verified["sound"] and verified["faults"] == [] and verified["state_hash"] in printed
    assert "Sound: " in call("log", "verify", log).stdout
    info = answer("log", "info", log)
    assert info["system"] == "eu-ets" and info["entries"] == verified["entries"] and info["head_hash"] == verified["head_hash"]
    assert "last command" in call("log", "info", log).stdout
    replayed = answer("log", "replay", log, "--to", "2013-12-31")
    assert replayed["entries"] < verified["entries"] and {row["kind"] for row in replayed["holdings"]} >= {"issuance", "operator"}
    assert sum(row["balance"] for row in replayed["holdings"] if row["unit"] == "EUA") == 0
    assert {"cap", "auction"} <= {notice["what"] for notice in replayed["notices"]}
    assert answer("log", "replay", log)["state_hash"] == verified["state_hash"]
    text = call("log", "replay", log, "--to", "2013-12-31").stdout
    assert "at the end of 2013-12-31" in text and "Holdings" in text and "2,084,301,856" in text and replayed["state_hash"] in text


def test_log_show_filters(market: tuple[Path, Path, str]) -> None:
    log = str(market[1])
    found = answer("log", "show", log, "--last", "3")
    assert [entry["sequence"] for entry in found["entries"]] == list(range(found["of"] - 2, found["of"] + 1))
    issued = answer("log", "show", log, "--kind", "issue")["entries"]
    assert [entry["command_id"] for entry in issued] == ["issue:2013", "issue:2014"] and all(entry["outcome"] == "accepted" for entry in issued)
    assert answer("log", "show", log, "--refused")["entries"] == []
    assert "No such entry" in call("log", "show", log, "--refused").stdout
    assert "no verb 'isue'; did you mean 'issue'?" in call("log", "show", log, "--kind", "isue", code=2).stderr
    assert "issue:2014" in call("log", "show", log, "--kind", "issue").stdout


def test_log_backup_restore_and_snapshot(market: tuple[Path, Path, str], tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup.log", tmp_path / "restored.log"
    head = answer("log", "info", str(market[1]))["head_hash"]
    assert answer("log", "backup", str(market[1]), str(backup))["head_hash"] == head
    assert "there is a file of this name" in call("log", "backup", str(market[1]), str(backup), code=1).stderr
    assert "Restored: " in call("log", "restore", str(backup), str(restored)).stdout
    assert "entries are stored here" in call("log", "restore", str(backup), str(restored), code=1).stderr
    assert "Snapshot stored after entry" in call("log", "snapshot", str(restored)).stdout
    info = answer("log", "info", str(restored))
    assert info["head_hash"] == head and info["snapshot_after"] == info["entries"] and answer("log", "verify", str(restored))["sound"]


def test_a_changed_row_is_found_and_named(market: tuple[Path, Path, str], tmp_path: Path) -> None:
    import sqlite3

    copy = tmp_path / "tampered.log"
    call("log", "backup", str(market[1]), str(copy))
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE log_entries SET actor = 'mallory' WHERE command_id = 'issue:2014'")
    connection.close()
    result = call("log", "verify", str(copy), code=1)
    assert "(issue:2014): changed: its hash is not the hash of its fields" in result.stdout and "NOT SOUND" in result.stdout
    assert not answer("log", "verify", str(copy), code=1)["sound"]


def test_a_log_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    assert "there is no log here" in call("log", "verify", str(tmp_path / "no.log"), code=1).stderr
    text = tmp_path / "letter.txt"
    text.write_text("Dear Sir, " * 100, "utf-8")
    for command in (("verify",), ("replay",), ("info",), ("show",)):
        assert "not a log of tonne" in call("log", *command, str(text), code=1).stderr


def test_a_log_of_another_system_is_refused(market: tuple[Path, Path, str]) -> None:
    result = call("run", "rggi", "--from", "2021", "--to", "2021", "--synthetic", "5", "--log", str(market[1]), code=1)
    assert "is the log of eu-ets; choose another place for rggi" in result.stderr


# -- the program itself


def _python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=120)


def test_the_program_says_its_version_and_its_commands() -> None:
    assert re.fullmatch(r"tonne \d+\.\d+\.\d+\n", _python("-m", "tonne", "--version").stdout)
    text = _python("-m", "tonne", "--help").stdout
    for command in ("systems", "show", "asks", "ask", "compare", "check", "run", "demo", "serve", "found", "invite", "log"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE), command


@pytest.mark.parametrize(
    ("args", "absent"),
    [
        (["--help"], "pydantic polars numba altair numpy rich sqlalchemy"),
        (["run", "--help"], "polars numba altair numpy sqlalchemy"),
        (["show", "rggi"], "polars numba altair sqlalchemy rich"),
    ],
)
def test_nothing_heavy_is_imported_to_help_or_show(args: list[str], absent: str) -> None:
    program = f"import sys; sys.argv = ['tonne', *{args!r}]\nfrom tonne.interfaces.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    program += f"print('LOADED', [name for name in {absent.split()!r} if name in sys.modules])"
    assert _python("-c", program).stdout.endswith("LOADED []\n")


def test_errors_of_the_program_are_one_line_and_json_stays_clean() -> None:
    result = _python("-m", "tonne", "show", "nowhere", "--json")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("tonne: no system 'nowhere'") and result.stderr.count("\n") == 1
    assert _python("-m", "tonne", "shw").returncode == 2
    assert json.loads(_python("-m", "tonne", "systems", "--json").stdout)["systems"]


@pytest.mark.skipif(not DATA.is_dir(), reason=f"real records are not at {DATA}")
def test_the_real_records_by_the_command_line() -> None:
    files = {"installations": "installations", "reports": "compliance_by_installation_year"}
    args = [part for option, name in files.items() for part in (f"--{option}", str(DATA / f"{name}.csv.gz"))]
    found = answer("run", "eu-ets", *YEARS, *args, "--totals", str(DATA / "control_totals_all_registries.csv"))
    assert found["years"][0]["verified_loaded"] == 1_443_954_683 and found["synthetic"] == "" and found["agreement"]


def test_an_unsound_rulebook_is_not_run(tmp_path: Path) -> None:
    own = tmp_path / "my-country"
    shutil.copytree(SHIPPED / "rggi", own)
    head, penalty = own / "system.yaml", own / "penalty.yaml"
    head.write_text(head.read_text("utf-8").replace("id: rggi\n", "id: my-country\n"), "utf-8")
    penalty.write_text(penalty.read_text("utf-8") + "  bogus: {unit: allowance, values: [{from: 2020-01-01, value: 3, source: nobody}]}\n", "utf-8")
    error = call("run", str(own), "--from", "2019", "--to", "2019", "--synthetic", "5", code=1).stderr
    assert "not sound, so nothing was run" in error and "penalty.bogus: no chosen rule reads this parameter" in error
    assert f"tonne check {own}" in error


def test_out_names_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "i.csv"
    file.write_text("a,b\n", "utf-8")
    assert "is a file, and --out names a folder" in call("run", "eu-ets", *YEARS, "--synthetic", "5", "--out", str(file), code=1).stderr
