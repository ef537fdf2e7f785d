"""Borrowing from the next year, and what is given back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.registry.borrowing import borrow_limit, borrowing_repayment


def test_borrowing_and_interest() -> None:
    law = {"borrow_share_by_year": {2015: Decimal("0.15")}}
    assert borrow_limit(1_000_006, 2015, **law) == 150_000
    assert borrow_limit([10, 0], 2015, **law).tolist() == [1, 0]
    with pytest.raises(ValueError, match="no borrowing share for 2016"):
        borrow_limit(1, 2016, **law)
    interest = {"borrow_interest_by_year": {2024: Decimal("0.02"), 2026: Decimal("0.10")}}
    assert borrowing_repayment(100_001, [2024, 2025, 2026], **interest).tolist() == [102_002, 102_002, 110_002]
    assert borrowing_repayment(0, 2024, **interest) == 0
    assert borrowing_repayment([], [], **interest).tolist() == []
