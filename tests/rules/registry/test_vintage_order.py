"""Which vintages pay for which years."""

from __future__ import annotations

from typing import Any

from tonne.rules.registry.vintage_order import vintage_pays


def test_vintages_and_the_years_they_pay() -> None:
    law: dict[str, Any] = {"later_vintage_pays": False, "last_limited_vintage": 2024}
    assert vintage_pays(2024, 2023, **law) is False and vintage_pays(2023, 2023, **law) is True
    assert vintage_pays([2019, 2024, 2024, 2025], [2024, 2024, 2025, 2025], **law).tolist() == [True, True, False, True]
    assert vintage_pays([2020], [2019]).tolist() == [True]
    assert vintage_pays(2026, [2023, 2025], True, arrears_vintages_until=2026, arrears_years_until=2024, **law).tolist() == [True, False]
    assert vintage_pays([], [], **law).tolist() == []
