"""Venues as dated data: what a faulty file is told, what a day sees, and what a pointer finds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tonne.law import NotYetInForce, RulebookError, load
from tonne.law.contract_terms import KINDS, TERMS, misfit
from tonne.law.contracts import SHIPPED, UnknownContract, contract, contracts, examine, shown, venue, venues

HEAD = """
id: here
name: {en: Here}
status: listed
source: a page
time_zone: Europe/London
currency: EUR
"""
CONTRACT = """
contracts:
  - id: one
    name: {en: One}
    kind: future
    status: listed
    from: 2010-01-01
    until: 2030-12-31
    source: the specification
    terms:
"""


def lay(tmp_path: Path, terms: str = "", head: str = HEAD, contracts: str | None = None) -> Path:
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)
    (folder / "venue.yaml").write_text(head, encoding="utf-8")
    body = CONTRACT + "\n".join(f"      {line}" for line in terms.strip("\n").splitlines()) if contracts is None else contracts
    (folder / "contracts.yaml").write_text(body or "contracts: []", encoding="utf-8")
    return folder


def faults(tmp_path: Path, terms: str = "", **parts: Any) -> list[str]:
    return [
        str(fault)
        for fault in examine(lay(tmp_path, terms, **parts), {"same_day": (frozenset(), frozenset()), "fixed": (frozenset({"days"}), frozenset())})[1]
    ]


def one(tmp_path: Path, terms: str) -> Any:
    return venue(lay(tmp_path, terms)).contracts[0]


def test_a_plain_term_has_its_contract_s_source(tmp_path: Path) -> None:
    terms = one(tmp_path, "lot: 1000\ntick: {value: 0.01, source: another page, confidence: recall, note: so they say}").at(date(2020, 1, 1))
    assert (terms["lot"], terms.entries["lot"].source, terms.entries["lot"].confidence) == (1000, "the specification", "source")
    assert terms["tick"] == Decimal("0.01") and terms.entries["tick"].source == "another page" and terms.entries["tick"].confidence == "recall"


def test_what_holds_for_the_whole_venue(tmp_path: Path) -> None:
    terms = one(tmp_path, "lot: 1000").at(date(2020, 1, 1))
    assert terms["currency"] == "EUR" and terms.entries["time_zone"].source == "a page"
    assert one(tmp_path, "currency: USD").at(date(2020, 1, 1))["currency"] == "USD"


def test_two_clocks(tmp_path: Path) -> None:
    listed = one(
        tmp_path,
        """
lot:
  - {from: 2010-01-01, value: 1000}
  - {from: 2020-01-01, value: 500, published: 2019-10-01}
  - {from: 2020-01-01, value: 100, published: 2020-03-01}
""",
    )
    assert listed.at(date(2019, 12, 31))["lot"] == 1000
    assert listed.at(date(2020, 6, 1))["lot"] == 100
    assert listed.at(date(2020, 6, 1), known_on=date(2020, 2, 1))["lot"] == 500
    assert listed.at(date(2020, 6, 1), known_on=date(2019, 9, 30))["lot"] == 1000
    with pytest.raises(KeyError, match="its lot is not known on"):
        listed.at(date(2020, 6, 1), known_on=date(2009, 1, 1))["lot"]


def test_before_and_after_a_contract_s_life(tmp_path: Path) -> None:
    listed = one(tmp_path, "lot: 1000")
    for day, words in ((date(2009, 12, 31), "began on 2010-01-01"), (date(2031, 1, 1), "ended on 2030-12-31")):
        with pytest.raises(NotYetInForce, match=words):
            listed.at(day)


def test_none_is_not_unknown(tmp_path: Path) -> None:
    terms = one(tmp_path, "price_limit: null").at(date(2020, 1, 1))
    assert terms["price_limit"] is None
    with pytest.raises(KeyError, match="its tick is not known"):
        terms["tick"]
    with pytest.raises(KeyError, match="no term is called 'tik'; did you mean 'tick'"):
        terms["tik"]


def test_a_pointer_is_the_law_of_the_day(tmp_path: Path) -> None:
    listed = one(
        tmp_path,
        """
max_order_units: {law: k-ets, parameter: trading.largest_order}
price_limit: {law: china-national-ets, parameter: trading.price_limit}
notice_lag: {law: guangdong-pilot-ets, parameter: trading.forward_days, key: notice_before_delivery}
""",
    )
    before, after = listed.at(date(2018, 12, 31)), listed.at(date(2024, 1, 1))
    assert before["max_order_units"] == 5000 and after["max_order_units"] == 100_000
    assert "price_limit" not in before.values, "that system's law had no such parameter yet"
    assert after["price_limit"] == load("china-national-ets").at(date(2024, 1, 1)).value("trading.price_limit")
    entry = after.entries["price_limit"]
    assert "trading notice" in entry.source and (entry.law, entry.parameter) == ("china-national-ets", "trading.price_limit")
    assert after["notice_lag"] == 3


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ("lots: 1000", "here/contracts.yaml:11: one.lots: unknown term (did you mean 'lot'?)"),
        ("lot: 10.5", "here/contracts.yaml:11: one.lot: 10.5 does not fit lot (write a whole number, zero or more)"),
        ("lot: true", "one.lot: True does not fit lot"),
        ("tick: cheap", "one.tick: 'cheap' does not fit tick"),
        ("price_limit: 10", "one.price_limit: 10 does not fit price_limit (write a share, or {listed: share, block: share})"),
        ("price_limit: {all: 0.1}", "does not fit price_limit"),
        ("price_limit_steps: [0.06, 0.04]", "does not fit price_limit_steps (write shares more than zero, rising)"),
        ("cutoff: 4 pm", "write a time of day, as '16:00'"),
        ("time_zone: Atlantis", "'Atlantis' is no time zone"),
        ("currency: euro", "write a currency's code, as EUR"),
        ("settlement: margin", "'margin' is not known (did you mean 'margined'?)"),
        ("matching: fifo", "'fifo' is not known"),
        ("hours: {lunch: '12:00-13:00'}", "unknown phase 'lunch'"),
        ("hours: {continuous: all day}", "'all day' is no span of hours"),
        ("hours: 09:00-10:00", "does not fit hours"),
        ("series: {months: [12]}", "does not fit series (write a list of mappings)"),
        ("series: [{months: [13], count: 2}]", "[13] are no months"),
        ("series: [{count: 2}]", "a row of series has either `months` or `days`"),
        ("series: [{months: all, until: 2030}]", "2030 is no month"),
        ("series: [{months: all, counts: 2}]", "unknown key 'counts'"),
        ("series: [{days: 1000000000}]", "days: 1000000000 is no number of them"),
        ("strikes: {steps: 0.5}", "unknown key 'steps' (did you mean 'step'?)"),
        ("seller_window: {opens: nine}", "'nine' is no time of day"),
        ("expiry: {rule: someday}", "one.expiry.rule: no rule of expiry is called 'someday'"),
        ("expiry: {rule: fixed}", "one.expiry.days: missing: fixed needs it"),
        ("expiry: {rule: same_day, count: 3}", "one.expiry.count: unknown key"),
        ("lot: {value: 1, sources: x}", "one.lot.sources: unknown key (did you mean 'source'?)"),
        ("lot: {value: 1, confidence: sure}", "'sure' is not known"),
        ("lot: {value: 1, note: a, b}", "one.lot.b: unknown key"),
        ("lot:\n  - {from: 2020-01-01, value: 1}\n  - {from: 2019-01-01, value: 2}", "dates out of order: 2019-01-01 stands after 2020-01-01"),
        ("lot:\n  - {from: 2020-01-01, value: 1}\n  - {from: 2020-01-01, value: 2}", "dates out of order"),
        ("lot: {law: k-etz, parameter: trading.lot}", "no system 'k-etz'; did you mean 'k-ets'"),
        ("lot: {law: k-ets, parameter: trading.lott}", "trading.lot"),
        ("lot: {law: k-ets}", "a pointer names a `parameter`"),
        ("lot: {law: k-ets, parameter: trading.lot, value: 1}", "both a value and a pointer"),
        ("lot: {law: k-ets, parameter: trading.lot, source: x page}", "a pointer takes its source from the law"),
        ("hours: {law: china-national-ets, parameter: trading.hours, key: lister}", "has no row 'lister' (did you mean 'listed'?)"),
        ("lot: 1\nlot: 2", "written twice"),
    ],
)
def test_every_fault_has_a_place_and_a_word_of_advice(tmp_path: Path, terms: str, told: str) -> None:
    found = faults(tmp_path, terms)
    assert any(told in fault for fault in found), found
    assert all(fault.startswith("here/contracts.yaml:") for fault in found)
    if "expiry" not in terms:  # rules of expiry are only checked where they are known
        with pytest.raises(RulebookError):
            venue(tmp_path / "here")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, "lots: 1\ntick: -1\nexpiry: {rule: someday}")
    assert [fault.split(": ")[1] for fault in found] == ["one.lots", "one.tick", "one.expiry.rule"]


def test_faults_of_the_heads(tmp_path: Path) -> None:
    assert any(
        "venue.yaml:2: id: 'there' lies in the folder 'here'" in fault for fault in faults(tmp_path, head=HEAD.replace("id: here", "id: there"))
    )
    assert any("'open' is not known" in fault for fault in faults(tmp_path, head=HEAD.replace("status: listed", "status: open")))
    assert any("source: missing (every value names its source)" in fault for fault in faults(tmp_path, head=HEAD.replace("source: a page", "")))
    assert any("'swap' is not known" in fault for fault in faults(tmp_path, contracts=CONTRACT.replace("future", "swap")))
    twice = CONTRACT + "      lot: 1\n" + CONTRACT.replace("contracts:", "") + "      lot: 1\n"
    assert any("a contract of this id stands here already" in fault for fault in faults(tmp_path, contracts=twice))
    (tmp_path / "here" / "more.yaml").write_text("a: 1", encoding="utf-8")
    assert any("more.yaml: this file would not be read" in fault for fault in faults(tmp_path))


def test_names_that_are_none() -> None:
    with pytest.raises(UnknownContract, match="did you mean 'china-cea'"):
        contract("china-ceas")
    with pytest.raises(UnknownContract, match="no venue 'nowhere'"):
        venue("nowhere")
    assert venues() and set(contracts()) >= {"china-cea", "ice-eua-futures"}
    assert venue(venues()[0]) is venue(venues()[0]), "what ships is read once"
    assert SHIPPED.name == "venues"


def test_every_term_has_a_kind_that_is_explained() -> None:
    assert {term.kind for term in TERMS.values()} <= set(KINDS)
    assert all(term.says for term in TERMS.values())
    assert not any(list(misfit(name, None)) for name in TERMS), "none fits every term"


def test_values_in_one_line() -> None:
    assert shown({"listed": Decimal("0.10"), "block": None}) == "listed: 0.10, block: none"
    assert shown([1, "b", True]) == "1; b; yes"
    assert shown(100_000) == "100,000" and shown(1000) == "1000"
