"""Borrowing from the next year by who lacks much of what it owes."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from tonne.rules.registry.borrowing_for_a_gap import borrow_limit


def test_borrowing_from_a_tenth_of_the_verified_emissions_on() -> None:
    law: dict[str, Any] = {"borrow_share_of_gap": {2022: D("0.5"), 2023: 0}, "borrow_gap_from": D("0.10")}
    assert borrow_limit([100_000, 99_999, 100_001, 0], [1_000_000, 1_000_000, 1_000_000, 0], 600_000, 2022, **law).tolist() == [
        50_000,
        0,
        50_000,
        0,
    ]
    assert borrow_limit(400_000, 1_000_000, 150_000, 2022, **law) == 150_000
    assert borrow_limit(400_000, 1_000_000, 150_000, 2023, **law) == 0
    assert borrow_limit([], [], [], 2022, **law).tolist() == []
