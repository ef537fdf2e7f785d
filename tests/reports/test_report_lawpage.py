"""The law as a page: what holds, since when, from where."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tonne.law import Parameter, Value, load
from tonne.reports.lawpage import confidences, entries, entry, read_by_rules


def _value(starts: str, value: object, source: str, published: str | None = None, **more: str) -> Value:
    return Value(date.fromisoformat(starts), value, source, date.fromisoformat(published or starts), **more)


def _entry(by: str | None, *values: Value, day: str = "2020-06-01", known: str | None = None):
    law = load("rggi").at(day, known)
    return entry(law, Parameter("cap.thing", "allowance", {"en": "A thing", "zh-Hans": "物"}, values, by))


def test_a_plain_value_has_the_source_of_the_last_one_in_force() -> None:
    found = _entry(None, _value("2010-01-01", 5, "old"), _value("2020-01-01", 1_234, "new", confidence="recall"), _value("2030-01-01", 9, "later"))
    assert (found.value, found.text, found.in_force) == (1_234, "1,234", True)
    assert [(s.starts.year, s.source, s.confidence) for s in found.sources] == [(2020, "new", "recall")]
    assert len(found.history) == 3 and found.topic == "cap" and found.name == "thing" and found.label == "A thing"


def test_a_table_names_each_source_that_still_holds_a_row() -> None:
    old, new = _value("2010-01-01", {2013: 1, 2014: 2}, "old"), _value("2012-01-01", {2014: 3}, "new")
    found = _entry("year", old, _value("2011-01-01", {2014: 9}, "overwritten"), new)
    assert found.value == {2013: 1, 2014: 3} and found.text == "2013: 1; 2014: 3"
    assert [(s.source, s.keys) for s in found.sources] == [("new", (2014,)), ("old", (2013,))]


def test_three_kinds_of_nothing() -> None:
    repealed = _entry(None, _value("2010-01-01", 5, "old"), _value("2015-01-01", None, "the repeal"))
    assert repealed.text == "repealed" and repealed.value is None and repealed.sources[0].source == "the repeal"
    waiting = _entry(None, _value("2030-01-01", 5, "later"))
    assert waiting.text == "no value yet" and not waiting.in_force and waiting.sources == ()
    proposed = _entry(None, _value("2010-01-01", 5, "a draft", status="proposed"))
    assert not proposed.in_force
    table = _entry("year", _value("2010-01-01", {2013: 1}, "old"), _value("2012-01-01", None, "gone"), _value("2014-01-01", {2020: 2}, "anew"))
    assert table.value == {2020: 2} and [s.source for s in table.sources] == ["anew"]


def test_what_was_not_known_is_neither_value_nor_history() -> None:
    found = _entry(None, _value("2010-01-01", 5, "old"), _value("2010-01-01", 6, "new", "2018-01-01"), known="2012-01-01")
    assert found.value == 5 and len(found.history) == 1


def test_the_shipped_law_by_topic_parameter_and_language() -> None:
    law = load("eu-ets").at("2024-06-01")
    topic = entries(law, "stability")
    assert {found.topic for found in topic} == {"stability"}
    (rate,) = entries(law, "stability.intake_rate", "zh-Hant")
    assert rate.value == Decimal("0.24") and rate.label == "十二個月扣留比例" and rate.sources[0].confidence == "source"
    assert not entries(law, "stab")


def test_a_report_prints_what_rules_read_and_how_sure_it_is() -> None:
    law = load("eu-ets").at("2021-09-01")
    found = read_by_rules(law)
    paths = {item.path for item in found}
    assert "stability.intake_rate" in paths and "calendar.agenda" in paths and not any(path.startswith("statistics.") for path in paths)
    assert all(item.in_force for item in found)
    assert sum(confidences(found).values()) == sum(len(item.sources) for item in found) and next(iter(confidences(found))) == "source"
