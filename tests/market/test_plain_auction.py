"""The plain auction by itself, and beside the fast one on thousands of small auctions over all switches."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal as D
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from tonne.market.auction import CHOICES, AuctionRules, BidReason, Bids, Offers, clear_auction
from tonne.market.draw import draws
from tonne.market.plain_auction import clear_plainly

AUCTIONS = 4_000


def test_the_plain_one_gives_the_worked_examples() -> None:
    rules = AuctionRules(ranking="time", undersubscribed="partial_at_lowest_bid", price_step=D(50), min_bid=1000, bid_step=100, decimals=0)
    rows = [(11000, (1000, 1500, 2500)), (10500, (1000, 2000)), (10300, (1000, 1000, 2000)), (10000, (1000, 2000))]
    book = [(0, price // 50, units) for price, all_units in rows for units in all_units]
    guide = clear_plainly(rules, 10_000, book, reserve=200)
    assert (guide.price, [bid.award for bid in guide.bids]) == (206, [1000, 1500, 2500, 1000, 2000, 1000, 1000, 0, 0, 0])

    uk = AuctionRules(undersubscribed="partial_at_lowest_bid", below_secondary="partial")
    book = [(0, 5000, 4000), (1, 4000, 3000), (2, 3000, 2000), (3, 2100, 5000)]
    short = clear_plainly(uk, 10_000, book, reserve=2200)
    assert (short.outcome, short.price, short.sold, short.unsold) == ("partial", 3000, 9000, 1000)
    matched = clear_plainly(uk, 10_000, book, reserve=2200, secondary=4500)
    assert (matched.price, matched.sold) == (5000, 4000)

    decline = AuctionRules(undersubscribed="partial_or_decline")
    assert clear_plainly(decline, 10_000, [(0, 75, 4000), (1, 71, 3000)], reserve=70).sold == 7000
    assert clear_plainly(decline, 10_000, [(0, 75, 4000), (1, 71, 3000), (2, 69, 1000)], reserve=70).outcome == "declined"

    seed = next(seed for seed in range(100) if np.argsort(draws(seed, 3)).tolist() == [1, 0, 2])
    tie = clear_plainly(AuctionRules(ranking="pro_rata"), 10_000, [(0, 9, 7000), (1, 9, 5000), (2, 9, 3000)], seed=seed)
    assert [bid.award for bid in tie.bids] == [4666, 3334, 2000]

    cut = clear_plainly(AuctionRules(lot=1000), 99_000, [(0, 1500, 10_000), (0, 1200, 50_000), (0, 1000, 40_000)], guarantees={0: 70_000_000})
    assert [bid.kept for bid in cut.bids] == [10_000, 48_000, 0]


def test_the_two_agree_on_every_auction() -> None:
    seen: Counter[Any] = Counter()
    for number in range(AUCTIONS):
        rules, offered, book, limits, guarantees, given = some_auction(Random(number))
        fast = clear_auction(
            rules,
            offered if isinstance(offered, int) else Offers.of(*(list(column) for column in zip(*offered, strict=True))),  # type: ignore[arg-type]
            Bids.of([b for b, _, _ in book], [p or 0 for _, p, _ in book], [q for *_, q in book], [p is None for _, p, _ in book]),
            limits=limits,
            guarantees=guarantees,
            **given,
        )
        plain = clear_plainly(rules, offered, book, limits=_mapping(limits), guarantees=_mapping(guarantees), **given)
        got = (
            fast.outcome,
            fast.reason,
            fast.price,
            fast.interim_price,
            (fast.sold, fast.unsold, fast.added, list(fast.by_tier), fast.withheld),
            fast.awards.tolist(),
            fast.kept.tolist(),
            [BidReason(reason).name.lower() for reason in fast.reasons.tolist()],
            {bidder: int(fast.costs[bidder]) for bidder in {b for b, _, _ in book}},
            fast.sold_of_offers.tolist(),
        )
        expected = (
            plain.outcome,
            plain.reason,
            plain.price,
            plain.interim_price,
            (plain.sold, plain.unsold, plain.added, plain.by_tier, plain.withheld),
            [bid.award for bid in plain.bids],
            [bid.kept for bid in plain.bids],
            [bid.reason for bid in plain.bids],
            plain.costs,
            plain.sold_of_offers,
        )
        assert got == expected, (number, rules, offered, book, limits, guarantees, given)
        sound(fast)
        seen.update([(fast.outcome, fast.reason), ("added", fast.added > 0), ("tiers", fast.containment_sold > 0), ("withheld", fast.withheld > 0)])
        seen.update({("reason", name) for name in got[7]})  # type: ignore[union-attr]
        seen[rules.ranking, "at the margin"] += bool(((fast.awards > 0) & (fast.awards < fast.kept)).any())
    everything = {
        ("cleared", ""), ("partial", "undersubscribed"), ("partial", "below_secondary"), ("cancelled", "undersubscribed"), ("cancelled", "no_bids"),
        ("cancelled", "below_secondary"), ("cancelled", "no_price"), ("cancelled", "nothing_offered"), ("declined", "bid_below_reserve"),
        ("declined", "no_bids"), ("added", True), ("tiers", True), ("withheld", True), *(("reason", reason.name.lower()) for reason in BidReason),
        *((ranking, "at the margin") for ranking in CHOICES["ranking"]),
    }  # fmt: skip
    rare = {what: seen[what] for what in everything if seen[what] < 5}
    assert not rare, f"hardly met: {rare}"


def sound(result: Any) -> None:
    """What holds in every auction."""
    assert int(result.awards.sum()) == result.sold
    assert (result.awards >= 0).all()
    assert (result.awards <= result.kept).all()
    assert (result.kept <= np.maximum(result.bids.quantity, 0)).all()
    from_offer = result.sold - result.added - result.containment_sold
    assert result.offered == from_offer + result.unsold + result.withheld
    assert min(from_offer, result.unsold, result.withheld) >= 0
    assert (result.price is None) == (result.sold == 0)
    assert (result.sold > 0) == (result.outcome in ("cleared", "partial"))
    assert int(result.sold_of_offers.sum()) == from_offer


def _mapping(values: list[int] | None) -> dict[int, int] | None:
    return None if values is None else dict(enumerate(values))


def some_auction(random: Random) -> tuple[AuctionRules, Any, list[tuple[int, int | None, int]], list[int] | None, list[int] | None, dict[str, Any]]:
    """Switches, offer, bids and terms of a small auction, near each other's edges."""
    lot = random.choice([1, 1, 10])
    rules = AuctionRules(
        **{name: random.choice(words) for name, words in CHOICES.items()},  # type: ignore[arg-type]
        lot=lot,
        bid_step=random.choice([None, None, 5]),
        min_bid=random.choice([None, None, 3 * lot]),
        price_step=random.choice([D("0.01"), D(50), D("0.0025")]),
        bid_limit_share=random.choice([None, None, Fraction(1, 4), Fraction(2, 3)]),
        ceiling_volume_multiple=random.choice([None, Fraction(2), Fraction(5, 4)]),
        category_order={"consigned": 1, "state": 2},
        non_competitive_share=random.choice([None, Fraction(1, 5), Fraction(1), Fraction(0)]),
        bids_per_bidder=random.choice([None, None, None, 2]),
        decimals=random.choice([0, 2]),
    )
    bidders = random.randrange(1, 7)
    book = [_some_bid(random, bidders, rules) for _ in range(random.randrange(0, 12))]
    volume = random.randrange(0, 300)
    offers = [
        (random.choice("ABC"), random.choice(["state", "consigned"]), random.randrange(2020, 2023), random.randrange(0, 120))
        for _ in range(random.randrange(1, 5))
    ]
    reserve = random.choice([None, random.randrange(0, 6)])
    known = max((bidder for bidder, _, _ in book), default=-1) + 1
    limits = [random.choice([-1, -1, 0, 50, 100, random.randrange(300)]) for _ in range(known)]
    guarantees = [random.choice([-1, -1, 0, 500, random.randrange(3000), random.randrange(100_000)]) for _ in range(known)]
    tiers = sorted(((random.randrange(0, 8), random.randrange(0, 60)) for _ in range(random.randrange(1, 4))), key=lambda tier: tier[0])
    given = {
        "reserve": reserve,
        "ceiling": random.choice([None, None, random.randrange(max(reserve or 1, 1), 9)]),
        "secondary": random.choice([None, random.randrange(0, 8)]),
        "seed": random.randrange(2**70),
        "tiers": tiers if random.random() < 0.5 else [],
        "withhold": (random.randrange(0, 8), random.randrange(0, 100)) if random.random() < 0.4 else None,
    }
    return (
        rules,
        random.choice([volume, offers]),
        book,
        limits if random.random() < 0.4 else None,
        guarantees if random.random() < 0.4 else None,
        given,
    )


def _some_bid(random: Random, bidders: int, rules: AuctionRules) -> tuple[int, int | None, int]:
    price = random.randrange(1, 9) if random.random() < 0.9 else random.randrange(-1, 200)
    quantity = rules.step * random.randrange(1, 30)
    if random.random() < 0.1:
        quantity = random.choice([-quantity, 0, quantity + 1, rules.step])
    return random.randrange(bidders), None if random.random() < 0.15 else price, quantity
