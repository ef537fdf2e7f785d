"""Cases: what is compared and how, what a refused case may expect, and what a faulty file of cases gets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonne.administration.asks import answer
from tonne.administration.cases import Outcome, agrees, plain, read_cases, run_folder, run_rulebook
from tonne.law import RulebookError, load

SYSTEM = """\
id: my-country
name: My country's market
status: in_force
design: cap_and_trade
begins: 2020-01-01
unit: {name: allowance}
currency: EUR
jurisdiction: My country
"""
CAP = """\
rules: []
parameters:
  size:
    unit: allowance
    by: year
    informative: true
    values:
      - {from: 2020-01-01, value: {2020: 100, 2021: 90}, source: Act 1, published: 2019-06-01}
      - {from: 2021-01-01, value: {2021: 80}, source: Act 2, published: 2020-06-01}
"""
INTAKE = "system: eu-ets, on: 2023-06-01, ask: msr_intake, given: {tnac: 1_134_794_738}"


def one(tmp_path: Path, case: str) -> Outcome:
    path = tmp_path / "mine.yaml"
    path.write_text(f"- {{name: a case of law, {case}, source: Notice 1}}\n", encoding="utf-8")
    (outcome,) = run_folder(path)
    return outcome


def faults(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        read_cases(path)
    return "\n".join(str(fault) for fault in caught.value.faults)


def beside(tmp_path: Path, cases: str) -> list[Outcome]:
    folder = tmp_path / "mine"
    (folder / "cases").mkdir(parents=True)
    (folder / "system.yaml").write_text(SYSTEM, encoding="utf-8")
    (folder / "cap.yaml").write_text(CAP, encoding="utf-8")
    (folder / "cases" / "cap.yaml").write_text(cases, encoding="utf-8")
    return run_rulebook(load(folder, answer))


def test_a_published_number_is_met_to_the_unit(tmp_path: Path) -> None:
    right = one(tmp_path, f"{INTAKE}, expect: 272_350_737")
    assert (right.passed, right.expected, right.got, right.file) == (True, 272_350_737, 272_350_737, "mine.yaml:1")
    wrong = one(tmp_path, f"{INTAKE}, expect: 272_350_738")
    assert (wrong.passed, wrong.got) == (False, 272_350_737)


def test_a_tolerance_counts_and_is_explained(tmp_path: Path) -> None:
    assert one(tmp_path, f"{INTAKE}, expect: 272_350_738, tolerance: 1, tolerance_reason: the source rounds").passed
    assert not one(tmp_path, f"{INTAKE}, expect: 272_350_739, tolerance: 1, tolerance_reason: the source rounds").passed


def test_a_parameter_may_be_fixed_and_a_misspelt_one_fails_the_case(tmp_path: Path) -> None:
    assert one(tmp_path, f"{INTAKE}, parameters: {{intake_rate: 0.12, minimum_intake: null}}, expect: 136_175_368").got == 136_175_369
    outcome = one(tmp_path, f"{INTAKE}, parameters: {{intake_rat: 0.12}}, expect: 1")
    assert not outcome.passed
    assert outcome.got == "UnknownAsk: msr_intake reads no parameter 'intake_rat' of the law; did you mean 'intake_rate'?"


def test_a_case_reads_a_parameter_with_both_clocks(tmp_path: Path) -> None:
    outcomes = beside(
        tmp_path,
        """
- {name: the whole table in force, on: 2021-01-01, value: cap.size, expect: {2020: 100, 2021: 80}, source: Act 2}
- {name: only the keys that are named count, on: 2021-01-01, value: cap.size, expect: {2021: 80}, source: Act 2}
- {name: one row of the table, on: 2021-01-01, value: cap.size, key: 2021, expect: 80, source: Act 2}
- {name: the row as known before, on: 2021-01-01, known_on: 2020-01-01, value: cap.size, key: 2021, expect: 90, source: Act 1}
- {name: a year that is not there, on: 2021-01-01, value: cap.size, key: 2022, refused: KeyError, source: Act 2}
- {name: before the system, on: 2019-12-31, value: cap.size, refused: BeforeSystem, source: Act 1}
- {name: an unknown parameter, on: 2020-01-01, value: cap.sise, refused: UnknownParameter, source: Act 1}
- {name: an unknown scenario, on: 2020-01-01, scenario: none, value: cap.size, refused: ScenarioError, source: Act 1}
- {name: an answer where a refusal is due, on: 2020-01-01, value: cap.size, refused: NotYetInForce, source: Act 1}
- {name: another refusal than expected, on: 2019-12-31, value: cap.size, refused: NotYetInForce, source: Act 1}
""",
    )
    assert [outcome.passed for outcome in outcomes] == [True] * 8 + [False] * 2
    assert outcomes[8].expected == "refused: NotYetInForce"
    assert outcomes[9].got == "BeforeSystem: my-country has no law on 2019-12-31; it begins 2020-01-01"
    assert outcomes[2].file == "mine/cases/cap.yaml:4"


def test_a_crash_is_a_failed_case_and_never_a_refusal(tmp_path: Path) -> None:
    outcome = one(tmp_path, "system: eu-ets, on: 2023-06-01, ask: msr_intake, given: {tnac: {a: 1}}, expect: 1")
    assert not outcome.passed
    assert "Error" in outcome.got
    assert one(tmp_path, f"{INTAKE}, expect: 272_350_737").passed


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("on: 2020-01-01, ask: cap, expect: 1", "mine.yaml:1: cases.0.source: missing (every value names its source)"),
        ("on: 2020-01-01, ask: cap, expect: 1, source: ' '", "mine.yaml:1: cases.0.source: too short: 3 characters or more are asked for"),
        ("ask: cap, expect: 1, source: Act 1", "mine.yaml:1: cases.0.on: missing"),
        ("on: 2020, ask: cap, expect: 1, source: Act 1", "mine.yaml:1: cases.0.on: 2020 is not a day; write it as 2024-06-01"),
        ("on: 2020-01-01, expect: 1, source: Act 1", "a case either asks (`ask:`) or reads a parameter (`value:`)"),
        ("on: 2020-01-01, ask: cap, value: cap.size, expect: 1, source: Act 1", "a case either asks (`ask:`) or reads a parameter (`value:`)"),
        ("on: 2020-01-01, ask: cap, source: Act 1", "a case either expects (`expect:`) or is refused (`refused:`)"),
        ("on: 2020-01-01, ask: cap, expect: 1, refused: ValueError, source: Act 1", "a case either expects (`expect:`) or is refused (`refused:`)"),
        ("on: 2020-01-01, ask: cap, refused: NotInForce, source: Act 1", "'NotInForce' is none of BeforeSystem"),
        ("on: 2020-01-01, ask: cap, refused: NotInForce, source: Act 1", "did you mean 'NotYetInForce'?"),
        ("on: 2020-01-01, ask: cap, refused: TypeError, source: Act 1", "'TypeError' is none of"),
        ("on: 2020-01-01, ask: cap, expect: 1, source: Act 1, tolerance: 2", "a tolerance needs its reason: `tolerance_reason:`"),
        ("on: 2020-01-01, ask: cap, expect: 1, source: Act 1, tolerance: -2, tolerance_reason: x", "Input should be greater than or equal to 0"),
        ("on: 2020-01-01, ask: cap, expect: 1, source: Act 1, tolerance: some, tolerance_reason: x", "'some' is not a number"),
        (
            "on: 2020-01-01, ask: cap, expect: 1, source: Act 1, kind: publised",
            "'publised' is none of published, edge, story, illustration; did you mean 'pub",
        ),
        ("on: 2020-01-01, ask: cap, expect: 1, source: Act 1, confidence: sure", "'sure' is none of source, seed, recall, derived"),
        ("on: 2020-01-01, ask: cap, gven: {year: 2020}, expect: 1, source: Act 1", "cases.0.gven: unknown key (did you mean 'given'?)"),
        ("on: 2020-01-01, value: cap.size, given: {year: 2020}, expect: 1, source: Act 1", "takes no `given:` and no `parameters:`"),
        ("on: 2020-01-01, value: cap.size, parameters: {size: 1}, expect: 1, source: Act 1", "takes no `given:` and no `parameters:`"),
        ("on: 2020-01-01, ask: cap, key: 2020, expect: 1, source: Act 1", "`key:` goes with `value:`"),
        ("on: 2020-01-01, ask: cap, ask: cap, expect: 1, source: Act 1", "mine.yaml:1: 0.ask: written twice in the same place"),
    ],
)
def test_a_faulty_case_is_named(tmp_path: Path, case: str, message: str) -> None:
    assert message in faults(tmp_path, f"- {{name: a case of law, {case}}}\n")


def test_faulty_files_of_cases(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: a case\n") == "mine.yaml:1: a file of cases is a list, each item beginning with `- name:`"
    assert faults(tmp_path, "- 5\n").startswith("mine.yaml:1: cases.0: here stands a mapping")
    assert faults(tmp_path, "- {name: x, on: 2020-01-01, ask: cap, expect: 1, source: Act 1}\n").startswith(
        "mine.yaml:1: cases.0.name: too short: 5 characters"
    )
    many = "".join(f"\n- {{name: a case of law, on: 2020-01-01, ask: cap, expect: {n}}}" for n in range(3))
    assert faults(tmp_path, many).splitlines() == [f"mine.yaml:{n}: cases.{n - 2}.source: missing (every value names its source)" for n in (2, 3, 4)]


def test_a_file_without_cases_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("# none yet\n", encoding="utf-8")
    assert read_cases(tmp_path / "none.yaml") == []


def test_anybodys_folder_of_cases(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="no file of cases here"):
        run_folder(tmp_path)
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "a.yaml"
    path.write_text("\n- {name: a case of law, on: 2023-06-01, ask: cap, given: {year: 2020}, expect: 1, source: Act 1}\n", encoding="utf-8")
    with pytest.raises(RulebookError, match=r"deep/a\.yaml:2: system: missing \(outside a rulebook a case names its system\)"):
        run_folder(tmp_path)
    path.write_text(f"- {{name: a case of law, {INTAKE.replace('eu-ets', 'eu-est')}, expect: 1, source: Act 1}}\n", encoding="utf-8")
    with pytest.raises(RulebookError, match=r"deep/a\.yaml:1: system: no system 'eu-est'; did you mean 'eu-ets'\?"):
        run_folder(tmp_path)


def test_a_case_beside_a_rulebook_is_of_that_system(tmp_path: Path) -> None:
    with pytest.raises(
        RulebookError, match=r"mine/cases/cap\.yaml:1: system: 'eu-ets', but it lies beside 'my-country' \(leave `system:` out here\)"
    ):
        beside(tmp_path, f"- {{name: a case of law, {INTAKE}, expect: 1, source: Act 1}}\n")


@pytest.mark.parametrize(
    ("expected", "got", "agree"),
    [
        (5, 5, True),
        (5, Decimal("5.0"), True),
        ("13.91", Decimal("13.910"), True),
        (Decimal("0.1"), Fraction(1, 10), True),
        (Decimal("0.1"), 0.1, False),  # a binary float is never the published decimal
        (25_000_000, 25_000_001, False),
        (2**60, 2**60 + 1, False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (0, False, False),
        (None, None, True),
        (None, 0, False),
        (0, None, False),
        ("twelve", 12, False),
        ("down", "down", True),
        (date(2024, 1, 1), date(2024, 1, 1), True),
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 2, 3], False),
        ([1, 2], 1, False),
        ([1, [2, None]], [1, [2, None]], True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "c": 1}, {"a": 1}, False),
        ({2013: 1}, {"2013": 1}, True),
        ({"a": {"b": [1]}}, {"a": {"b": [1], "c": 0}}, True),
        ({"a": 1}, 1, False),
        ({}, {"a": 1}, False),
        ({}, {}, True),
        (5, "5", False),
        (5, [5], False),
    ],
)
def test_what_agrees(expected: Any, got: Any, agree: bool) -> None:
    assert agrees(expected, got) is agree


def test_a_tolerance_reaches_into_lists_and_mappings() -> None:
    assert agrees([10, {"a": 20}], [11, {"a": 19}], Decimal(1))
    assert not agrees([10, {"a": 20}], [11, {"a": 18}], Decimal(1))


def test_answers_become_plain_values() -> None:
    got = plain({"a": np.array([1, 2]), "b": (np.int64(3), np.bool_(True)), "c": np.array([Fraction(1, 2)], dtype=object)})
    assert got == {"a": [1, 2], "b": [3, True], "c": [Fraction(1, 2)]}
    assert type(got["b"][0]) is int
    assert got["b"][1] is True
