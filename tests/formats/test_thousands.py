"""Three zeros after one point are a fault, not a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonne.formats.faults import BadFile
from tonne.formats.reports import read_reports


def write(tmp_path: Path, verified: str) -> Path:
    path = tmp_path / "reports.csv"
    path.write_text(f"installation,year,verified\nP1,2027,{verified}\n", encoding="utf-8")
    return path


def test_four_hundred_thousand_in_another_hand(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="400 or 400000\\?"):
        read_reports(write(tmp_path, "400.000"))


@pytest.mark.parametrize("text", ["400", "400000", "400.0", "400000.000", "400.00"])
def test_what_can_only_be_one_number_is_read(tmp_path: Path, text: str) -> None:
    reports, faults = read_reports(write(tmp_path, text))
    assert not faults and reports.frame["verified"].to_list() == [int(float(text))]
