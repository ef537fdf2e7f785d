"""`tonne contract`: all contracts, one with its sources, the expiries of a year."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tonne.interfaces import cli_contract
from tonne.interfaces.cli import app
from tonne.law.contracts import contracts, venues
from tonne.law.faults import Fault


def call(*args: str, code: int = 0, columns: int = 120) -> str:
    result = CliRunner().invoke(app, ["contract", *args], env={"COLUMNS": str(columns)})
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_all_contracts_in_a_table() -> None:
    text = call("show", "--on", "2026-11-20")
    assert all(name in text for name in contracts())
    assert "0.0025" in text and "gfex, mcx" in text
    assert max(map(len, text.splitlines())) <= 120
    data = json.loads(call("show", "--on", "2026-11-20", "--json"))
    assert [row["contract"] for row in data["contracts"]] == contracts()
    assert next(row for row in data["contracts"] if row["contract"] == "cme-eua-daily")["tick"] == "0.0025"


def test_a_day_before_a_contract_began_does_not_list_it() -> None:
    names = {row["contract"] for row in json.loads(call("show", "--on", "2020-01-02", "--json"))["contracts"]}
    assert "china-cea" not in names and "krx-kau-spot" in names
    assert "began on 2021-07-16" in call("show", "china-cea", "--on", "2020-01-02", code=1)


def test_the_contracts_of_one_venue() -> None:
    rows = json.loads(call("show", "seee", "--json"))["contracts"]
    assert {row["contract"] for row in rows} == {"china-cea", "shanghai-sheaf"}


def test_one_contract_with_its_sources_and_next_expiries() -> None:
    text = call("show", "ice-eua-futures", "--on", "2026-11-20")
    assert "2026-12     last trading day 2026-12-14 Mon   delivery 2026-12-17 Thu" in text
    assert "continuous: 07:00-17:00" in text and "recall" in text and "https://www.ice.com/products/197/EUA-Futures" in text
    data = json.loads(call("show", "ice-eua-futures", "--on", "2026-11-20", "--json"))
    assert data["terms"]["hours"]["confidence"] == "recall" and data["terms"]["price_limit"]["value"] is None
    assert data["expiries"][1] == {"month": "2026-12", "last_trading_day": "2026-12-14", "delivery": "2026-12-17"} and data["tradable"]


def test_a_term_of_the_law_says_so() -> None:
    assert "law of china-national-ets, trading.price_limit" in call("show", "china-cea")
    terms = json.loads(call("show", "china-cea", "--json"))["terms"]
    assert terms["lot"]["law"] == "china-national-ets" and terms["resale_lag"]["law"] is None


def test_what_cannot_be_traded_says_why() -> None:
    assert "Cannot be traded here: krx-kau-spot: not known: tick" in call("show", "krx-kau-spot")
    assert "how its premium is paid" in json.loads(call("show", "ice-rggi-options", "--json"))["why_not"]


@pytest.mark.parametrize("name", contracts())
def test_every_contract_can_be_shown(name: str) -> None:
    data = json.loads(call("show", name, "--json"))
    assert data["contract"] == name and data["terms"]
    assert all(entry["source"] for entry in data["terms"].values())
    assert name in call("show", name)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_of_all_keeps_its_figures_whole(columns: int) -> None:
    text = call("show", "--on", "2026-11-20", columns=columns)
    row = next(line for line in text.splitlines() if line.startswith("cme-eua-daily "))
    assert "1,000" in row and "0.0025 EUR" in row and "EUA" in row and max(map(len, text.splitlines())) <= columns
    assert all(name in text for name in contracts()) and "\u2026" not in text


def test_lot_and_tick_say_of_what() -> None:
    text = call("show", "ice-eua-futures", "--on", "2026-11-20")
    assert "1,000 EUA" in text and "0.01 EUR" in text


def test_before_the_unit_and_after_the_series_nothing_is_listed() -> None:
    text = call("show", "ice-eua-futures", "--on", "1999-01-01")
    assert "start day not known" in text and "There was no EUA on 1999-01-01" in text and "Next expiries" not in text
    assert json.loads(call("show", "ice-eua-futures", "--on", "1999-01-01", "--json"))["expiries"] == []
    assert "Next expiries" in call("show", "ice-eua-futures", "--on", "2015-01-05")
    text = call("expiries", "ice-eua-futures", "--year", "2040")
    assert "none beyond 2030-12" in text and "2040-" not in text
    found = json.loads(call("expiries", "ice-eua-futures", "--year", "2031", "--json"))
    assert found["expiries"] == [] and found["none_beyond"] == "2030-12"
    assert "Start day not known" in call("show", "--on", "1999-01-01") and "Start day not known" not in call("show", "--on", "2030-01-02")


def test_the_expiries_of_a_year() -> None:
    assert "2024-12   2024-12-16 Mon" in call("expiries", "ice-eua-futures", "--year", "2024")
    found = json.loads(call("expiries", "ice-cca-vintage-futures", "--year", "2028", "--json"))
    assert found["expiries"][-1] == {"month": "2028-12", "last_trading_day": "2028-12-22", "delivery": "2028-12-28"}
    assert len(found["expiries"]) == 12 and found["holidays"] == "XNYS"


def test_an_option_whose_premium_is_not_known_still_has_dates() -> None:
    found = json.loads(call("expiries", "ice-uka-options", "--year", "2027", "--json"))["expiries"]
    assert [(one["month"], one["last_trading_day"]) for one in found] == [("2027-03", "2027-03-10"), ("2027-12", "2027-12-15")]


def test_refusals_in_words() -> None:
    assert "did you mean 'china-cea'?" in call("show", "china-ceb", code=1)
    assert "its rule of expiry is not known" in call("expiries", "china-cea", "--year", "2026", code=1)
    assert "has no month" in call("expiries", "cme-eua-daily", "--year", "2026", code=1)
    assert "write it as YYYY-MM-DD" in call("show", "china-cea", "--on", "today", code=2)


def test_a_misfit_of_terms_is_a_fault_of_the_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each term may be well written and the contract still be none: a tick that no coin pays."""
    assert cli_contract.examine_venues() == []
    monkeypatch.setattr(cli_contract, "_misfits", lambda listed: ["no coin pays it"] if listed.id == "china-cea" else [])
    found = cli_contract.examine_venues()
    assert [(fault.file, fault.key, fault.reason) for fault in found] == [("seee/contracts.yaml", "china-cea", "no coin pays it")]
    assert isinstance(found[0], Fault) and found[0].line > 0
    assert len(venues()) >= 15
