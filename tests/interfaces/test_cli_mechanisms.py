"""`tonne mechanisms`, `tonne words`; scenarios inside `tonne check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app
from tonne.rules import mechanisms as known


def call(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_every_mechanism_is_listed_with_who_has_it() -> None:
    found = json.loads(call("mechanisms", "--json"))["mechanisms"]
    assert {one["mechanism"] for one in found} == set(known())
    assert all(one["systems"] and one["asks"] for one in found)
    reserve = next(one for one in found if one["mechanism"] == "market_stability_reserve")
    assert reserve["parameters"]["stability.upper_threshold"]["required"] and "eu-ets" in reserve["systems"]


def test_one_mechanism_whole_and_a_word_that_many_speak_of() -> None:
    text = call("mechanisms", "fixed_price_sale")
    assert "answers  fixed_price(year: year)" in text and "fixed_price_by_year (needed; unit" in text and "germany-nehs" in text
    assert "One of them whole" in call("mechanisms", "allocation")
    assert "no mechanism speaks of 'qqq'" in call("mechanisms", "qqq", code=1)


def test_the_words_of_a_rulebook() -> None:
    assert "surrender" in call("words", "tasks") and "EUR_per_allowance" in call("words", "units")
    assert "two_way" in json.loads(call("words", "--json"))["links"]
    assert "'verbs' is none of" in call("words", "verbs", code=2)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("{parameter: cap.cap_by_yeer, from: 2027-01-01, value: {2027: 1}}", "scenarios/less.yaml:5: patches[0] changes 'cap.cap_by_yeer'"),
        ("{parameter: cap.cap_by_year, from: 2027-01-01, value: {2027: 1.5}}", "scenarios/less.yaml:5: patches.0: cap.cap_by_year: 2027: 1.5"),
    ],
)
def test_check_looks_at_the_scenarios_too(tmp_path: Path, patch: str, message: str) -> None:
    folder = tmp_path / "mine"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "system.yaml").write_text(
        "id: mine\nname: Mine\nstatus: under_development\ndesign: cap_and_trade\nbegins: 2027-01-01\nunit: {name: allowance}\ncurrency: EUR\n"
        "jurisdiction: Mine\ntopics:\n  cap:\n    rules: [tabled_cap]\n    parameters:\n"
        "      cap_by_year:\n        unit: allowance\n        by: year\n"
        "        values: [{from: 2027-01-01, value: {2027: 5}, source: Act 1}]\n",
        encoding="utf-8",
    )
    (folder / "scenarios" / "less.yaml").write_text(f"id: less\nsystem: mine\nname: Less\npatches:\n  - {patch}\n", encoding="utf-8")
    assert message in call("check", str(folder), code=1)
