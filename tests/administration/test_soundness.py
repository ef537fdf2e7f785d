"""Slips of scale that a reader would not see, and remarks on what a sound law leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonne.administration.asks import answer
from tonne.administration.soundness import remarks, unsound
from tonne.law import load

HEAD = """\
id: my-country
name: Mine
status: under_development
design: cap_and_trade
begins: 2027-01-01
unit: {name: allowance}
currency: EUR
jurisdiction: My country
topics:
"""
CREDITS = """\
  credits:
    rules: [share_of_obligation]
    parameters:
      limit_share: {unit: %s, values: [{from: 2027-01-01, value: %s, source: Act 1}]}
"""
FIXED = """\
  allocation:
    rules: [fixed_price_sale]
    parameters:
      fixed_price_by_year: {unit: %s, by: year, values: [{from: 2027-01-01, value: {2027: %s}, source: Act 1}]}
"""
CALENDAR = """\
  calendar:
    parameters:
      agenda: {unit: calendar_rule, by: task, values: [{from: 2027-01-01, value: {%s}, source: Act 1}]}
"""
CAP = """\
  cap:
    rules: [tabled_cap]
    parameters:
      cap_by_year: {unit: allowance, by: year, values: [{from: 2027-01-01, value: {2027: %s}, source: Act 1}]}
"""


def faults(tmp_path: Path, topics: str) -> list[str]:
    path = tmp_path / "my-country.yaml"
    path.write_text(HEAD + topics, encoding="utf-8")
    return [str(fault) for fault in unsound(load(path, answer))]


def said(tmp_path: Path, topics: str, name: str = "my-country.yaml", head: str = HEAD) -> list[str]:
    path = tmp_path / name
    path.write_text(head + topics, encoding="utf-8")
    book = load(path, answer)
    assert unsound(book) == []
    return remarks(book)


def test_a_share_in_per_cent_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, CREDITS % ("ratio", "0.10")) == []
    assert "unit 'percent', and rules read shares of 1 (write 0.10 with `unit: ratio`)" in faults(tmp_path, CREDITS % ("percent", "10"))[0]
    assert "my-country.yaml:13: credits.limit_share: a share above 2: rules read shares of 1" in faults(tmp_path, CREDITS % ("ratio", "10"))[0]


@pytest.mark.parametrize("unit", ["EUR", "count"])
def test_a_price_is_for_one_of_something(tmp_path: Path, unit: str) -> None:
    assert faults(tmp_path, FIXED % ("EUR_per_allowance", "25")) == []
    assert f"unit {unit!r}, and a price is for one of something" in faults(tmp_path, FIXED % (unit, "25"))[0]


def test_days_in_an_order_that_cannot_be(tmp_path: Path) -> None:
    topics = CAP % "5" + CALENDAR % "issue: +0 01-01, report: +1 03-31, verify: +1 04-30, surrender: +1 03-01, penalise: +1 10-01"
    remarked = said(tmp_path, topics)
    assert "'surrender' comes before 'verify' (+1 03-01 before +1 04-30): nobody can be judged by what is not there yet" in remarked
    assert any("no mechanism says what a missing unit costs" in one for one in remarked)
    assert any("no mechanism says who gets them" in one for one in remarked)


def test_a_figure_below_zero_and_names_that_mislead(tmp_path: Path) -> None:
    assert "cap.cap_by_year holds a figure below zero: is that meant?" in said(tmp_path, CAP % "-5")
    assert any("name them alike" in one for one in said(tmp_path, CAP % "5", name="other.yaml"))
    taken = said(tmp_path, CAP % "5", name="rggi.yaml", head=HEAD.replace("my-country\n", "rggi\n", 1))
    assert any("is the id of a system that ships with tonne" in one for one in taken)


def test_a_law_without_a_calendar_says_that_nothing_happens(tmp_path: Path) -> None:
    assert any("the law never acts by itself and nothing can be run" in one for one in said(tmp_path, CAP % "5"))
    assert any("so nobody is ever judged" in one for one in said(tmp_path, CAP % "5" + CALENDAR % "issue: +0 01-01"))
