"""Reading the law from the command line: systems, show, asks, ask, compare."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app
from tonne.law.catalogue import SHIPPED


def call(*args: str, code: int = 0) -> Any:
    """The result of a command, its exit code checked."""
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def answer(*args: str) -> Any:
    """What a command prints with --json: JSON and nothing else."""
    return json.loads(call(*args, "--json").stdout)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A rulebook of one's own, with a scenario."""
    folder = tmp_path / "my-country"
    shutil.copytree(SHIPPED / "rggi", folder)
    head = folder / "system.yaml"
    head.write_text(head.read_text("utf-8").replace("id: rggi\n", "id: my-country\n"), "utf-8")
    (folder / "scenarios").mkdir(exist_ok=True)
    patch = "id: dear\nsystem: my-country\nname: Dear\npatches:\n  - {parameter: auction.format, from: 2020-01-01, value: by candle}\n"
    (folder / "scenarios" / "dear.yaml").write_text(patch, "utf-8")
    return folder


# -- systems


def test_systems_lists_each_with_status_unit_cap_and_how_sure_it_is() -> None:
    found = {system["id"]: system for system in answer("systems")["systems"]}
    assert set(found) >= {"eu-ets", "rggi", "china-national-ets"}
    eu = found["eu-ets"]
    assert eu["status"] == "in_force" and eu["design"] == "cap_and_trade" and eu["currency"] == "EUR" and eu["begins"] == "2005-01-01"
    assert eu["parameters"] > 100 and eu["cases"] > 50 and eu["values_by_confidence"]["source"] > 50 and eu["cap"]["units"] > 10**9
    assert found["china-national-ets"]["cap"] is None and found["rggi"]["price"]["unit"] == "USD_per_allowance"
    assert eu["coverage_percent"] == 40 and eu["auction_share_percent"] and eu["chapters"]["lacks"] == []
    text = call("systems").stdout
    assert "In force" in text and "Price rules" in text and max(len(line) for line in text.splitlines()) <= 120
    assert re.search(r"^rggi +invest +2009 +[\d.]+ +14 +90 +3.3 +[\d.]+ USD +floor ceiling +11 +\d+", text, re.MULTILINE)


def test_systems_named_are_shown_with_all_that_is_known() -> None:
    text = call("systems", "rggi", "china-national-ets").stdout
    assert "one for each short ton of CO2" in text and "every unit, limit ex post" in text
    assert re.search(r"\d+ cases, \d+ of them published numbers", text)
    assert [system["id"] for system in answer("systems", "rggi")["systems"]] == ["rggi"]


def test_fidelity_counts_figures_by_confidence_cases_by_kind_and_gaps() -> None:
    found = answer("fidelity")
    one = next(system for system in found["systems"] if system["id"] == "rggi")
    assert one["figures"] == sum(one["values_by_confidence"].values()) and one["cases_by_kind"]["published"] >= 40
    assert found["total"]["figures"] == sum(system["figures"] for system in found["systems"])
    assert "How sure the rulebooks are" in call("fidelity", "rggi").stdout


# -- show


def test_show_gives_value_unit_day_source_and_confidence() -> None:
    text = call("show", "eu-ets", "stability", "--on", "2024-06-01").stdout
    assert "eu-ets on 2024-06-01" in text and "rules: market_stability_reserve" in text
    assert "intake_rate  Part of the circulation withheld in twelve months" in text
    assert "since 2024-01-01: Decision (EU) 2023/852: prolonged to 2030 [source]" in text
    assert "1,096,000,000 allowance" in text and "repealed" in text and "reduction_factor" not in text


def test_show_knows_two_clocks() -> None:
    before = answer("show", "eu-ets", "stability.intake_rate", "--on", "2019-06-01", "--known-on", "2017-01-01")["parameters"]
    after = answer("show", "eu-ets", "stability.intake_rate", "--on", "2019-06-01")["parameters"]
    assert before[0]["value"] == "0.12" and before[0]["published"] == "2015-10-09"
    assert after[0]["value"] == "0.24" and after[0]["confidence"] == "source"


def test_show_says_what_has_no_value_yet_and_history_shows_it() -> None:
    assert "no value yet: " in call("show", "rggi", "stability", "--on", "2010-01-01").stdout
    text = call("show", "rggi", "stability.containment_size_by_year", "--history").stdout
    assert "2027-01-01" in text and "adopted" in text
    history = answer("show", "eu-ets", "stability.intake_rate", "--history")["parameters"][0]["history"]
    assert [(value["from"], value["value"]) for value in history][:2] == [("2019-01-01", "0.12"), ("2019-01-01", "0.24")]


def test_show_speaks_three_languages() -> None:
    assert "十二个月扣留比例" in call("show", "eu-ets", "stability", "--lang", "zh-Hans").stdout
    assert "歐盟碳市場" in call("show", "eu-ets", "stability", "--lang", "zh-Hant").stdout
    assert "'fr' is none of en, zh-Hans, zh-Hant" in call("show", "eu-ets", "--lang", "fr", code=2).stderr


def test_show_the_whole_law_ends_with_the_systems_notes() -> None:
    found = answer("show", "china-national-ets")
    assert len(found["parameters"]) > 100 and found["notes"] and found["rules"]["allocation"]
    assert "notes" in call("show", "china-national-ets").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("show", "rgi"), "tonne: no system 'rgi'; did you mean 'rggi'?"),
        (("show", "rggi", "auctoin"), "tonne: rggi has no topic 'auctoin'; did you mean 'auction'?"),
        (("show", "rggi", "cap.base_by_yeer"), "rggi has no parameter 'cap.base_by_yeer'; did you mean 'cap.base_by_year'?"),
        (("show", "rggi", "--on", "2001-01-01"), "rggi has no law on 2001-01-01; it begins 2009-01-01"),
        (("show", "rggi", "--scenario", "nope"), "rggi has no scenario 'nope'"),
    ],
)
def test_what_is_not_there_is_one_clear_line_and_exit_code_1(args: tuple[str, ...], message: str) -> None:
    result = call(*args, code=1)
    assert message in result.stderr and "Traceback" not in result.stderr and not result.stdout


def test_a_day_that_is_none_is_a_usage_error() -> None:
    assert "Invalid value for --on: '2024-13-01' is no day; write it as YYYY-MM-DD" in call("show", "rggi", "--on", "2024-13-01", code=2).stderr


def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    result = CliRunner().invoke(app, ["show", "rgi", "--debug"])
    assert result.exit_code == 1 and type(result.exception).__name__ == "UnknownSystem"


def test_a_folder_of_ones_own_and_its_scenario(own: Path) -> None:
    assert "my-country on " in call("show", str(own), "auction").stdout
    found = answer("show", str(own), "auction.format", "--scenario", "dear")
    assert found["scenario"] == "dear" and found["parameters"][0]["value"] == "by candle" and found["parameters"][0]["confidence"] == "scenario"


# -- asks, ask


def test_asks_lists_inputs_with_units() -> None:
    found = {item["ask"]: item for item in answer("asks", "eu-ets")["asks"]}
    intake = found["msr_intake"]
    assert intake["given"]["tnac"] == "allowance" and intake["required"] == ["tnac"] and intake["unit"] == "allowance"
    assert intake["topic"] == "stability" and intake["mechanism"] == "market_stability_reserve" and intake["summary"]
    assert "msr_intake(tnac: allowance, [months: month]" in call("asks", "eu-ets").stdout


def test_ask_answers_and_says_on_which_figures_it_stands() -> None:
    result = call("ask", "eu-ets", "msr_intake", "tnac=1_134_794_738", "--on", "2023-09-01")
    assert result.stdout.startswith("272,350,737 allowance") and "stability.intake_rate = 0.24 ratio" in result.stdout
    found = answer("ask", "eu-ets", "cap", "2024", "--on", "2024-06-01")
    assert found["answer"] == 1_386_051_745 and found["given"] == {"year": 2024} and found["unit"] == "allowance"
    assert any(parameter["parameter"] == "cap.reduction_factor" and parameter["source"] for parameter in found["parameters"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("msr_intak", "tnac=1"), "eu-ets answers no 'msr_intak'; did you mean 'msr_intake'?"),
        (("msr_intake",), "msr_intake also needs tnac (allowance)"),
        (("msr_intake", "tnc=1"), "msr_intake takes no 'tnc'; did you mean 'tnac'?"),
        (("msr_intake", "tnac=1", "--on", "2018-06-01"), "2018-06-01; its first value takes effect 2019-01-01"),
        (("cap", "1999"), "1999"),
    ],
)
def test_a_question_the_law_cannot_answer(args: tuple[str, ...], message: str) -> None:
    result = call("ask", "eu-ets", *args, code=1)
    assert message in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("-5", -5),
        ("0.24", "0.24"),
        ("true", True),
        ("null", None),
        ("[1, 2,3]", [1, 2, 3]),
        ("[]", []),
        ("coke", "coke"),
        ("nan", "nan"),
    ],
)
def test_values_are_read_as_typed(text: str, value: Any) -> None:
    from tonne.interfaces.cli_ask import _value

    found = _value(text)
    assert (str(found) if type(value) is str else found) == value and not isinstance(found, float)


# -- compare


def test_compare_sets_systems_side_by_side() -> None:
    found = answer("compare", "eu-ets", "rggi", "china-national-ets")
    assert [system["id"] for system in found["systems"]] == ["eu-ets", "rggi", "china-national-ets"]
    assert found["parameters"]["penalty.make_good"]["rggi"]["value"] is True and "obligation" in found["asks"]
    text = call("compare", "eu-ets", "rggi").stdout
    assert max(map(len, text.splitlines())) <= 120
    for words in ("Who they are", "cap and invest", "Parameters that two or more have", "Questions they answer"):
        assert words in text


def test_compare_a_topic_shows_all_of_it() -> None:
    text = call("compare", "eu-ets", "rggi", "--topic", "stability").stdout
    assert "upper_threshold" in text and "containment_trigger_by_year" in text and "penalty" not in text
    assert "two systems or more" in call("compare", "eu-ets", code=2).stderr
    assert "'stabilty' is none of" in call("compare", "eu-ets", "rggi", "--topic", "stabilty", code=2).stderr


@pytest.mark.parametrize(("given", "got"), [("abc", "'abc'"), ("2024.5", "'2024.5'"), ("[2024,x]", "'x'"), ("year=true", "'True'")])
def test_an_input_that_is_no_whole_number_is_named(given: str, got: str) -> None:
    assert f"cap takes year, a whole number; got {got}" in call("ask", "eu-ets", "cap", given, code=1).stderr


def test_systems_counts_published_cases_apart() -> None:
    for system in answer("systems")["systems"]:
        assert 0 <= system["published_cases"] <= system["cases"]
        assert system["published_cases"] > 0 or system["status"] != "in_force"
