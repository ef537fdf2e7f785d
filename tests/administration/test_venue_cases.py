"""The cases beside the venues: they pass, they can fail, and what a case makes of a contract is that case's failure alone."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from tonne.administration import venue_cases
from tonne.administration.venue_cases import QUESTIONS, call_auction, run_venue, run_venues, settlement_day
from tonne.law import contracts


def test_every_case_of_every_venue_passes() -> None:
    outcomes = run_venues()
    assert [outcome.name for outcome in outcomes if not outcome.passed] == []
    assert {outcome.ask for outcome in outcomes} == set(QUESTIONS)
    assert sum(outcome.kind == "published" for outcome in outcomes) >= 33


def test_a_wrong_figure_fails_and_an_unknown_contract_is_a_failure_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "eex"
    shutil.copytree(contracts.venue("eex").place, copy)
    file = copy / "cases" / "contracts.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace("expect: 2026-03-03", "expect: 2026-03-04")
        .replace('contract: eex-eua-spot, clock: "16:01"', 'contract: nothing, clock: "16:01"')
    )
    file.write_text(text, encoding="utf-8")
    made = contracts.venue(copy)
    monkeypatch.setattr(venue_cases.texts, "venue", lambda name: made)
    outcomes = run_venue("eex")
    assert [outcome.passed for outcome in outcomes] == [False, False, False]
    assert outcomes[0].got == "2026-03-03"
    assert str(outcomes[1].got).startswith("UnknownContract: no contract 'nothing'")


def test_the_cut_off_itself_is_late() -> None:
    assert settlement_day(date(2026, 3, 2), "eex-eua-spot", "15:59") == date(2026, 3, 3)
    assert settlement_day(date(2026, 3, 2), "eex-eua-spot", "16:00") == date(2026, 3, 4)


def test_a_call_without_a_crossing_trades_nothing() -> None:
    answer = call_auction(date(2026, 3, 2), {101: [5]}, {100: [5]})
    assert answer == {"price": None, "volume": 0, "sell": {101: [0]}, "buy": {100: [0]}}
