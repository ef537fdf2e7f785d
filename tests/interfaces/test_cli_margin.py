"""`tonne margin`: figures by account, and how a person is told what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app

POSITIONS = """account,instrument,lots,price
alpha,allowance:2026-12,120,
alpha,allowance:2027-12,-40,
alpha,allowance:2026-12,10,83.20
alpha,allowance:2026-12:call:90,25,1.10
beta,allowance:2026-12,-120,
beta,allowance:2026-12,-10,83.20
beta,allowance:2027-12,40,
beta,allowance:2026-12:call:90,-25,1.10
"""


def call(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["margin", *args])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    positions, contracts = tmp_path / "positions.csv", tmp_path / "contracts.yaml"
    positions.write_text(POSITIONS, "utf-8")
    contracts.write_text(call("--example"), "utf-8")
    return str(positions), str(contracts)


def test_each_account_in_figures(files: tuple[str, str]) -> None:
    found = json.loads(call(files[0], "--contracts", files[1], "--json"))
    alpha, beta = found["accounts"]
    total = alpha["totals"][0]
    # 120 x 0.70 - 40 x 0.65 + 10 x 0.40, a thousand units each; 25 x 1.10 paid for options
    assert (total["variation"], total["premium"]) == ("62000.00", "-27500.00")
    assert (beta["totals"][0]["variation"], beta["totals"][0]["premium"]) == ("-62000.00", "27500.00")
    assert alpha["families"][0]["spread"] == "6000.00" and beta["families"][0]["minimum"] == "1250.00"
    assert found["prices"]["allowance:2026-12:call:90"] == "1.09" and alpha["families"][0]["option_value"] == "27250.00"
    risk, value, margin = (float(alpha["families"][0][name]) for name in ("risk", "option_value", "scan"))
    assert risk == margin + 6_000 and float(total["initial_margin"]) == pytest.approx(risk - value)
    assert found["not_balanced"] == {} and found["label"] == "illustration, invented figures"


def test_the_table_says_the_same(files: tuple[str, str]) -> None:
    text = call(files[0], "--contracts", files[1])
    assert "illustration, invented figures" in text and "price -6.00, volatility -10 points" in text and "62,000.00" in text
    assert "what some received today others paid" in text and "Delivery" not in text


def test_a_members_own_file_need_not_balance(files: tuple[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("account,instrument,lots\nalpha,allowance:2026-12,5\n", "utf-8")
    text = call(str(own), "--contracts", files[1])
    assert "longs and shorts differ in 1 instrument (allowance:2026-12 +5 lots)" in text and "30,000.00" in text
    odd = tmp_path / "odd.csv"
    odd.write_text(POSITIONS.replace("beta,allowance:2026-12,-120,\nbeta,allowance:2026-12,-10,83.20", "beta,allowance:2026-12,-130,"), "utf-8")
    assert "a trade lacks its other" in call(str(odd), "--contracts", files[1])


def test_margin_rates_are_asked_for_and_faults_told(files: tuple[str, str], tmp_path: Path) -> None:
    assert "which positions?" in call(code=2)
    assert "margin rates have no default here" in call(files[0], code=2)
    bad = tmp_path / "bad.csv"
    bad.write_text("account,instrument,lots\nalpha,allowance:2026-21,x\n", "utf-8")
    text = call(str(bad), "--contracts", files[1], code=1)
    assert "bad.csv line 2, column instrument: 'allowance:2026-21'" in text and "column lots: 'x': not a number" in text
    assert "cannot be read" in call(files[0], "--contracts", str(tmp_path / "none.yaml"), code=1)


def test_whole_prices_and_coarse_ticks_and_two_currencies(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        """
families:
  won: {currency: KRW, lot: 1, price_scan: 500}
  euro: {currency: EUR, lot: 100, price_scan: 2}
instruments:
  w: {family: won, tick: 50, price: 10300, previous: 10000}
  e: {family: euro, tick: 1, price: 80, previous: 82}
""",
        "utf-8",
    )
    (tmp_path / "p.csv").write_text("account,instrument,lots\na,w,7\na,e,3\nb,w,-7\n", "utf-8")
    found = json.loads(call(str(tmp_path / "p.csv"), "--contracts", str(tmp_path / "c.yaml"), "--json"))
    a, b = found["accounts"]
    assert [(one["currency"], one["variation"], one["initial_margin"]) for one in a["totals"]] == [
        ("EUR", "-600.00", "600.00"),
        ("KRW", "2100", "3500"),
    ]
    assert [one["currency"] for one in b["totals"]] == ["KRW"]


def test_too_many_lots_and_too_much_money_are_told_in_a_line(files: tuple[str, str], tmp_path: Path) -> None:
    many = tmp_path / "many.csv"
    many.write_text("account,instrument,lots\na,allowance:2026-12,9000000000000000\n", "utf-8")
    text = call(str(many), "--contracts", files[1], code=1)
    assert "many.csv line 2, column lots: '9000000000000000': beyond 1,000,000,000,000 lots" in text
    many.write_text("".join(("account,instrument,lots,price\n", *("a,allowance:2026-12,1000000000000,1\n" for _ in range(3)))), "utf-8")
    text = call(str(many), "--contracts", files[1], code=1)
    assert "many.csv: a sum is too large to be exact" in text and "Traceback" not in text


def test_columns_not_looked_at_are_named_and_bad_rows_may_be_left_out(files: tuple[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("account,instrument,lots,desk\nalpha,allowance:2026-12,5,7\nbeta,allowance:2026-12,x,7\n", "utf-8")
    assert "--skip-bad" in call(str(own), "--contracts", files[1], code=1)
    text = call(str(own), "--contracts", files[1], "--skip-bad", "--rejects", str(tmp_path / "bad.csv"))
    assert "Not looked at: the column desk of" in text and len((tmp_path / "bad.csv").read_text("utf-8").splitlines()) == 2
    assert "EUR" in text and "price -6.00" in text and "volatility" not in text
    result = CliRunner().invoke(app, ["margin", str(own), "--contracts", files[1], "--skip-bad", "--json"])
    found = json.loads(result.stdout)
    assert found["ignored_columns"] == ["desk"] and len(found["faults"]) == 1


def test_the_example_is_no_json() -> None:
    assert "leave out --json" in call("--example", "--json", code=2)
