"""Positions and margin parameters: what is read, and how a fault is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tonne.formats.faults import BadFile
from tonne.formats.margin_parameters import read_margin_parameters
from tonne.formats.positions import Listed, read_positions
from tonne.interfaces.cli_margin import EXAMPLE

KNOWN = {"a:2026-12": Listed(Decimal("0.01")), "a:2027-12": Listed(Decimal("0.01"), carried=False), "coarse": Listed(Decimal("0.25"))}


def write(folder: Path, text: str, name: str = "positions.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_positions_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, "account,instrument,lots,price\nx,a:2026-12,120,\nx,a:2026-12,-5,83.20\nx,a:2026-12,-5,83.20\ny,a:2027-12,7,85\n")
    frame, faults, _ = read_positions(path, KNOWN)
    assert not faults
    assert frame.rows() == [
        ("x", "a:2026-12", 120, None), ("x", "a:2026-12", -5, Decimal("83.2")), ("x", "a:2026-12", -5, Decimal("83.2")), ("y", "a:2027-12", 7, 85),
    ]  # fmt: skip


def test_without_prices_everything_is_carried(tmp_path: Path) -> None:
    frame, _, _ = read_positions(write(tmp_path, "account;instrument;lots\nx;coarse;-3\n"), KNOWN)
    assert frame.rows() == [("x", "coarse", -3, None)]
    renamed, _, _ = read_positions(write(tmp_path, "konto,was,lots\nx,coarse,-3\n"), KNOWN, {"account": "konto", "instrument": "was", "lots": "lots"})
    assert renamed.rows() == frame.rows()


def test_every_fault_has_its_line_and_column(tmp_path: Path) -> None:
    text = """account,instrument,lots,price
x,a:2026-21,1,
x,a:2026-12,1.5,
,a:2026-12,2,
x,coarse,3,10.30
y,coarse,0,
y,a:2027-12,4,
z,coarse,1,
z,coarse,2,
z,coarse,2,10.25
v,coarse,9000000000000000,
v,coarse,-9000000000000000,5
v,coarse,1,0
v,coarse,1,-0.25
"""
    with pytest.raises(BadFile) as refused:
        read_positions(write(tmp_path, text), KNOWN)
    told = {(fault.row, fault.column): fault.reason for fault in refused.value.faults}
    assert told == {
        (2, "instrument"): "no such instrument in the file of contracts; did you mean 'a:2026-12'?",
        (3, "lots"): "not a whole number of lots; write it without separators and decimals",
        (4, "account"): "empty, but needed",
        (5, "price"): "between two ticks; the tick is 0.25",
        (6, "lots"): "no lots: leave the row out",
        (7, "instrument"): "carried lots need its `previous` price in the file of contracts",
        (9, "account"): "z/coarse was given in line 8 already",
        (11, "lots"): "beyond 1,000,000,000,000 lots, which no market has; are these units or money?",
        (12, "lots"): "beyond 1,000,000,000,000 lots, which no market has; are these units or money?",
        (13, "price"): "a trade's price is above 0; leave it empty for lots carried from the day before",
        (14, "price"): "a trade's price is above 0; leave it empty for lots carried from the day before",
    }
    frame, faults, _ = read_positions(write(tmp_path, text), KNOWN, skip_bad=True)
    assert frame.rows() == [("z", "coarse", 1, None), ("z", "coarse", 2, Decimal("10.25"))] and len(faults) == 11
    with pytest.raises(BadFile, match="lots"):
        read_positions(write(tmp_path, "account,instrument\nx,coarse\n"), KNOWN)


def test_a_near_miss_of_a_column_is_refused_and_any_other_named(tmp_path: Path) -> None:
    path = write(tmp_path, "account,instrument,lots,Price\nx,coarse,3,10.25\n")
    with pytest.raises(BadFile, match="column Price: did you mean 'price'"):
        read_positions(path, KNOWN)
    with pytest.raises(BadFile, match="column account: this column is missing; did you mean 'Account'") as refused:
        read_positions(write(tmp_path, "Account,Instrument,Lots\nx,coarse,3\n"), KNOWN)
    assert len(refused.value.faults) == 3 and "--skip-bad" not in str(refused.value)
    with pytest.raises(BadFile, match="no file of positions"):
        read_positions(write(tmp_path, "a,b\nx,3\n"), KNOWN)
    assert read_positions(write(tmp_path, "account,instrument,lots,desk,note\nx,coarse,3,7,\n"), KNOWN)[2] == ["desk", "note"]


def test_the_example_is_sound(tmp_path: Path) -> None:
    found = read_margin_parameters(write(tmp_path, EXAMPLE, "contracts.yaml"))
    assert found.families["allowance"]["price_scan"] == Decimal("6.00") and found.label.startswith("illustration")
    assert len(found.instruments) == 3 and found.rate == Decimal("0.02") and found.credits == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("price_scan: 6.00", "price_scann: 6.00", 8, "families.allowance.price_scann: no key 'price_scann'; did you mean 'price_scan'?"),
        ("currency: EUR", "currency: euro", 6, "families.allowance.currency: euro: a currency's three letters are needed, like EUR"),
        ("extreme_share: 0.33", "extreme_share: 33", 14, "families.allowance.extreme_share: 33: a share from 0 to 1 is needed"),
        ("price: 83.60}", "price: 83.605}", 16, "instruments.allowance:2026-12.price: 83.605 is between two ticks of 0.01"),
        (", price: 85.75}", "}", 17, "instruments.allowance:2027-12: 'price' is missing; only an option can be priced from its future"),
        ("lot: 1000 ", "lot: true ", 7, "families.allowance.lot: True: a whole number of at least 1 is needed"),
        (
            "days: 24, ",
            "",
            18,
            "instruments.allowance:2026-12:call:90: an option needs right, strike, volatility, days, premium, underlying; missing: days",
        ),
        (
            'underlying: "allowance:2026-12"',
            "underlying: allowance:2026-21",
            19,
            "no instrument 'allowance:2026-21'; did you mean 'allowance:2026-12'?",
        ),
        ("right: call", "right: swap", 19, "right: swap: call or put is needed"),
        ("credits: []", "credits: [{families: [allowance, nothing], share: 0.5}]", 20, "credits.0.families: no family 'nothing'"),
        (
            "tick: 0.01, month: 2026-12",
            "tick: 0.000001, month: 2026-12",
            16,
            "0.000001 on a lot of 1,000 is no whole number of the smallest coin of EUR",
        ),
        ("volatility: 0.38", "volatility: 38", 19, "volatility: 38: a share is needed; for 38 % write 0.38"),
        ("rate: 0.02", "rate: 2", 3, "rate: 2: a share is needed; for 2 % write 0.02"),
        ("month: 2026-12", "month: 2026-13", 16, "month: 2026-13: no such month; write it as 2026-12"),
        ("price: 83.60}", "price: 0}", 16, "price: 0: a future's price is above 0"),
        ("price: 83.60}", "price: -83.60}", 16, "price: -83.60: a number of at least 0 is needed"),
        ("rate: 0.02", "rate: [", 5, "not valid YAML"),
    ],
)
def test_a_fault_in_the_parameters_names_line_and_key(old: str, new: str, line: int, told: str, tmp_path: Path) -> None:
    assert old in EXAMPLE
    path = write(tmp_path, EXAMPLE.replace(old, new, 1), "contracts.yaml")
    with pytest.raises(BadFile) as refused:
        read_margin_parameters(path)
    found = [(fault.row, fault.reason) for fault in refused.value.faults]
    assert any(told in reason and row == line for row, reason in found), found


def test_an_empty_file_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="needs the keys families, instruments"):
        read_margin_parameters(write(tmp_path, "", "contracts.yaml"))
    with pytest.raises(BadFile, match="cannot be read"):
        read_margin_parameters(tmp_path / "none.yaml")
