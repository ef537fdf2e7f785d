"""Credits that only fill a gap."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.credits_within_gap import gap_credits


def test_up_to_the_share_and_up_to_the_gap():
    offered, verified = [80_000, 180_000, 80_000, 10], [1_060_000, 1_260_000, 1_000_000, 900_000]
    assert gap_credits(offered, 1_000_000, verified, gap_credit_share=Decimal("0.10")).tolist() == [60_000, 100_000, 0, 0]
    assert gap_credits(5, 1_000_000, 1_060_000, gap_credit_share=Decimal("0.10")) == 5
