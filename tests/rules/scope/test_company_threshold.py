"""Who must take part by the emissions of a whole company, or of one of its sites."""

from __future__ import annotations

from tonne.rules.scope.company_threshold import is_covered

SIZES = {"covered_company_from": 125_000, "covered_site_from": 25_000}


def test_company_or_site() -> None:
    assert is_covered(124_999, 24_999, **SIZES) is False
    assert is_covered([125_000, 1, 0], [0, 25_000, 0], **SIZES).tolist() == [True, True, False]
    assert is_covered([], [], **SIZES).tolist() == []
