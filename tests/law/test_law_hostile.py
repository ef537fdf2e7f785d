"""Files made to break the reader: each is a fault with a place, none a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonne.administration.soundness import remarks, unsound
from tonne.law import examine

HEAD = """\
id: x
name: X
status: under_development
design: cap_and_trade
begins: 2027-01-01
unit: {name: allowance}
currency: EUR
jurisdiction: X
"""
AGENDA = "topics: {calendar: {parameters: {agenda: {%s}}}}\n"
GROWS = (
    "topics: {statistics: {parameters: {a: {unit: count, by: year, informative: true, "
    "values: [{from: 2027-01-01, source: Act 1, grows: {start: 2021, value: %s, until: 2300%s}}]}}}}\n"
)


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "x.yaml"
    path.write_bytes((HEAD + text).encode())
    found = examine(path)
    all_of_them = [*found.faults, *unsound(found.rulebook, found.broken)]
    if not all_of_them:
        assert isinstance(remarks(found.rulebook), list)
    return [str(fault) for fault in all_of_them]


@pytest.mark.parametrize("stack", ["-  " * 30_000 + "x", "- ? " * 30_000, "- " * 3_000 + "x", "\r".join(" " * n + "-" for n in range(2_000))])
def test_nesting_without_end(tmp_path: Path, stack: str) -> None:
    assert "nested more than 50 deep" in faults(tmp_path, f"notes:\n {stack}\n")[0] or "not valid YAML" in faults(tmp_path, f"notes:\n {stack}\n")[0]


@pytest.mark.parametrize(
    ("value", "more"), [('"1e99999999"', ""), ("1e40", ", factor: 1.01, rounding: nearest, to: 0.01"), ("1", ', step: "1e-9999999"')]
)
def test_numbers_without_end(tmp_path: Path, value: str, more: str) -> None:
    assert "is not a number" in faults(tmp_path, GROWS % (value, more))[0]


@pytest.mark.parametrize(
    ("agenda", "message"),
    [
        (
            'unit: calendar_rule, values: [{from: 2027-01-01, value: "+1 04-30", source: Act 1}]',
            "the administration reads this as calendar_rule by task",
        ),
        ("unit: ratio, values: [{from: 2027-01-01, value: 5, source: Act 1}]", "the administration reads this as calendar_rule by task"),
        (
            "unit: ratio, by: task, values: [{from: 2027-01-01, value: {surrender: 5}, source: Act 1}]",
            "the administration reads this as calendar_rule",
        ),
        (
            'unit: calendar_rule, by: task, values: [{from: 2027-01-01, value: {surrender: "+99999999999 04-30"}, source: Act 1}]',
            "does not fit the unit",
        ),
        ('unit: calendar_rule, by: task, values: [{from: 2027-01-01, value: {surrender: "+١ 04-30"}, source: Act 1}]', "does not fit the unit"),
        (
            'unit: calendar_rule, by: task, values: [{from: 2027-01-01, value: {surrender: ["+1 04-30"]}, source: Act 1}]',
            "a list, where one day is meant",
        ),
    ],
)
def test_a_calendar_that_is_none(tmp_path: Path, agenda: str, message: str) -> None:
    assert any(message in fault for fault in faults(tmp_path, AGENDA % agenda)), faults(tmp_path, AGENDA % agenda)


def test_topics_and_links_with_odd_names(tmp_path: Path) -> None:
    assert "no such topic: 1" in faults(tmp_path, "topics: {1: {}}\n")[0]
    link = f"links: [{{system: {'a' * 5000}, kind: two_way, from: 2027-01-01, source: Act 1}}]\n"
    assert "is no id" in faults(tmp_path, link)[0]
