"""Thresholds by company and site, and by capacity."""

from decimal import Decimal

from tonne.rules.company_or_plant_threshold import covered_by_company_or_site, exact_column, is_covered

SIZES = {"covered_company_from": 125_000, "covered_site_from": 25_000}


def test_company_or_site() -> None:
    assert covered_by_company_or_site(124_999, 24_999, **SIZES) is False
    assert covered_by_company_or_site([125_000, 1, 0], [0, 25_000, 0], **SIZES).tolist() == [True, True, False]
    assert covered_by_company_or_site([], [], **SIZES).tolist() == []


def test_capacity() -> None:
    assert is_covered(25, covered_from_mw=25) is True
    assert is_covered(Decimal("24.9"), covered_from_mw=25) is False
    assert is_covered([24, 25], covered_from_mw=Decimal("24.5")).tolist() == [False, True]
    assert exact_column([]).tolist() == []
