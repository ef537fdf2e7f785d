"""`tonne check` in all its forms."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app
from tonne.interfaces.cli_check import with_value
from tonne.law.catalogue import SHIPPED

GOOD = """\
- name: between the thresholds the intake is what exceeds the lower one
  system: eu-ets
  on: 2026-06-02
  ask: msr_intake
  given: {tnac: 1_023_494_202}
  expect: 190_494_202
  source: a notice
"""
BAD = GOOD.replace("190_494_202", "190_494_203").replace("a notice", "a misprint\n  note: planted\n  confidence: recall")


def call(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["check", *args])
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "my-country"
    shutil.copytree(SHIPPED / "rggi", folder)
    head = folder / "system.yaml"
    head.write_text(head.read_text("utf-8").replace("id: rggi\n", "id: my-country\n"), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("args", "spread"),
    [
        (["--cases"], ["--cases="]),
        (["--cases", "--json"], ["--cases=", "--json"]),
        (["--cases", "rggi"], ["--cases=", "rggi"]),
        (["rggi", "--cases"], ["rggi", "--cases="]),
        (["--cases", "some/where", "--json"], ["--cases=some/where", "--json"]),
        (["--cases", "./rggi"], ["--cases=./rggi"]),
        (["--cases=dir", "eu-ets"], ["--cases=dir", "eu-ets"]),
        ([], []),
    ],
)
def test_cases_may_stand_alone_or_before_a_folder(args: list[str], spread: list[str]) -> None:
    assert with_value(args) == spread


def test_check_says_of_each_system_that_it_is_sound() -> None:
    text = call().stdout
    for name in ("eu-ets", "rggi", "china-national-ets"):
        assert f"{name}: sound, " in text
    found = json.loads(call("--json").stdout)
    assert found["cases"] == [] and found["faults"] == [] and all(system["sound"] for system in found["systems"])


def test_check_one_system_or_folder(own: Path) -> None:
    assert [line.split(",")[0] for line in call("rggi").stdout.splitlines()] == ["rggi: sound"]
    assert "my-country: sound" in call(f"{own}/").stdout


@pytest.mark.parametrize("args", [("rggi", "--cases"), ("--cases", "rggi")])
def test_the_cases_that_ship_with_a_system(args: tuple[str, ...]) -> None:
    text = call(*args).stdout
    assert "By confidence" in text and "cases pass" in text and "FAILED" not in text
    cases = json.loads(call(*args, "--json").stdout)["cases"]
    assert len(cases) > 50 and {case["system"] for case in cases} == {"rggi"} and all(case["passed"] for case in cases)
    wanted = {"name", "system", "passed", "expected", "got", "source", "confidence", "kind", "file", "ask", "note"}
    assert set(cases[0]) == wanted


def test_all_shipped_cases_pass() -> None:
    found = json.loads(call("--cases", "--json").stdout)
    assert {case["system"] for case in found["cases"]} >= {"eu-ets", "rggi", "china-national-ets"} and not found["faults"]


def test_anybodys_cases(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, "utf-8")
    assert "1 of 1 cases pass" in call("--cases", str(tmp_path)).stdout
    assert "1 of 1 cases pass" in call("--cases", str(tmp_path / "a.yaml")).stdout
    (tmp_path / "b.yaml").write_text(BAD, "utf-8")
    text = call("--cases", str(tmp_path), code=1).stdout
    for words in (
        "FAILED b.yaml:1: between",
        "expected   190,494,203",
        "got        190,494,202",
        "a misprint [recall]",
        "planted",
        "1 of 2 cases pass; 1",
    ):
        assert words in text, words
    cases = json.loads(call("--cases", str(tmp_path), "--json", code=1).stdout)["cases"]
    assert [(case["passed"], case["expected"], case["got"]) for case in cases] == [(True, 190494202, 190494202), (False, 190494203, 190494202)]


def test_cases_put_to_a_rulebook_of_ones_own(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    own_case = "- {name: a year of the first period, on: 2009-06-01, value: cap.base_by_year, key: 2009, expect: 188_076_976, source: here}\n"
    (folder / "c.yaml").write_text(own_case + GOOD, "utf-8")
    cases = json.loads(call(str(own), "--cases", str(folder), "--json").stdout)["cases"]
    assert [(case["system"], case["passed"]) for case in cases] == [("my-country", True)]
    assert "my-country" in call("--cases", str(own)).stdout


def test_faults_are_named_with_file_and_line(own: Path) -> None:
    with (own / "penalty.yaml").open("a", encoding="utf-8") as file:
        file.write("  bogus: {unit: allowance, values: [{from: 2020-01-01, value: 3}]}\n")
    result = call(str(own), code=1)
    assert "my-country: NOT SOUND" in result.stdout and "parameters.bogus.values.0.source: missing" in result.stdout
    (fault,) = json.loads(call(str(own), "--json", code=1).stdout)["faults"]
    assert fault["file"] == "my-country/penalty.yaml" and fault["line"] > 1 and fault["suggestion"] == "every value names its source"


def test_a_parameter_that_no_rule_reads_is_a_fault(own: Path) -> None:
    with (own / "penalty.yaml").open("a", encoding="utf-8") as file:
        file.write("  bogus: {unit: allowance, values: [{from: 2020-01-01, value: 3, source: nobody}]}\n")
    assert "penalty.bogus: no chosen rule reads this parameter" in call(str(own), code=1).stdout


def test_cases_that_cannot_be_read(tmp_path: Path) -> None:
    assert "there is no such folder or file" in call("--cases", str(tmp_path / "nope"), code=1).stderr
    (tmp_path / "c.yaml").write_text("- {name: too little}\n", "utf-8")
    found = json.loads(call("--cases", str(tmp_path), "--json", code=1).stdout)
    assert found["cases"] == [] and found["faults"][0]["file"] == "c.yaml"
    assert "no system 'nowhere'" in call("nowhere", code=1).stderr


@pytest.mark.parametrize("unit", ["USD", "tCO2", "money", "million_allowance"])
def test_a_cap_that_is_not_counted_in_units_is_a_fault(own: Path, unit: str) -> None:
    path = own / "cap.yaml"
    text = path.read_text("utf-8")
    start = text.index("  base_by_year:")
    path.write_text(text[:start] + text[start:].replace("unit: allowance", f"unit: {unit}", 1), "utf-8")
    (fault,) = json.loads(call(str(own), "--json", code=1).stdout)["faults"]
    line = text[:start].count("\n") + 1
    assert (fault["file"], fault["line"], fault["key"]) == ("my-country/cap.yaml", line, "cap.base_by_year")
    assert f"unit '{unit}'" in fault["reason"] and "allowance" in fault["suggestion"]


def test_a_folder_without_a_case_does_not_pass(tmp_path: Path) -> None:
    assert "No case was found" in call("rggi", "--cases", str(tmp_path), code=1).stderr
    (tmp_path / "others.yaml").write_text(GOOD, "utf-8")  # of another system
    assert "No case was found" in call("rggi", "--cases", str(tmp_path), code=1).stderr


def test_a_folder_that_is_no_rulebook(tmp_path: Path) -> None:
    assert "has no system.yaml, so it is no rulebook; name a folder that has one" in call(str(tmp_path), code=1).stderr
