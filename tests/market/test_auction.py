"""Primary auctions: the worked examples to the unit, each switch alone, and the law's own rules beside it."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest

from tonne.market.auction import AuctionError, AuctionResult, AuctionRules, BidReason, Bids, Offers, bid_guarantee, clear_auction
from tonne.market.auction_awards import Depth, share_of_last, sold_of_each
from tonne.market.draw import drawn, draws
from tonne.rules.auction.bid_rules import bid_guarantee as law_guarantee
from tonne.rules.auction.bid_rules import tie_shares
from tonne.rules.auction.confidential_reserve import auction_outcome as confidential_outcome
from tonne.rules.auction.corridor import corridor_outcome
from tonne.rules.auction.joint import sold_of_each as law_sold_of_each
from tonne.rules.auction.partial_clearing import auction_outcome as partial_outcome
from tonne.rules.auction.reserve_price import auction_outcome as reserve_outcome
from tonne.rules.auction.sealed_bids import auction_outcome as sealed_outcome
from tonne.rules.stability.containment_reserves import reserves_outcome

CENT = AuctionRules()


def bids_of(rows: list[tuple[Any, ...]], rules: AuctionRules = CENT) -> Bids:
    """Bids (bidder, price in money or None, quantity)."""
    return Bids.of(
        [row[0] for row in rows],
        [0 if row[1] is None else rules.ticks(D(str(row[1]))) for row in rows],
        [row[2] for row in rows],
        [row[1] is None for row in rows],
    )


def clear(rules: AuctionRules, offered: Any, rows: list[tuple[Any, ...]], **given: Any) -> AuctionResult:
    for name in ("reserve", "ceiling", "secondary"):
        if given.get(name) is not None:
            given[name] = rules.ticks(D(str(given[name])))
    for name in ("tiers",):
        given[name] = [(rules.ticks(D(str(price))), units) for price, units in given.get(name, [])]
    if given.get("withhold"):
        given["withhold"] = (rules.ticks(D(str(given["withhold"][0]))), given["withhold"][1])
    return clear_auction(rules, offered, bids_of(rows, rules), **given)


def money(result: AuctionResult) -> D | None:
    return None if result.price is None else result.rules.price(result.price)


def alone(pairs: list[tuple[Any, int]]) -> list[tuple[Any, ...]]:
    """Pairs (price, quantity) as bids of a bidder each."""
    return [(number, price, quantity) for number, (price, quantity) in enumerate(pairs)]


# -- numbers drawn


def test_the_numbers_drawn_are_those_of_splitmix64() -> None:
    assert draws(0, 3).tolist() == [16294208416658607535, 7960286522194355700, 487617019471545679]
    assert draws(1234567, 2).tolist() == [6457827717110365317, 3203168211198807973]
    assert drawn(0, np.array([2, 0])).tolist() == [487617019471545679, 16294208416658607535]
    assert draws(-1, 1).tolist() == draws(2**64 - 1, 1).tolist()
    assert draws(9, 0).tolist() == []
    assert len(set(draws(5, 10_000).tolist())) == 10_000


# -- worked examples


def test_equal_prices_by_time_of_entry_as_in_the_exchange_guide() -> None:
    rules = AuctionRules(ranking="time", undersubscribed="partial_at_lowest_bid", price_step=D(50), min_bid=1000, bid_step=100, decimals=0)
    rows = [(11000, (1000, 1500, 2500)), (10500, (1000, 2000)), (10300, (1000, 1000, 2000)), (10000, (1000, 2000))]
    result = clear(rules, 10_000, alone([(price, units) for price, all_units in rows for units in all_units]), reserve=10000)
    assert money(result) == 10300
    assert result.awards.tolist() == [1000, 1500, 2500, 1000, 2000, 1000, 1000, 0, 0, 0]
    assert result.costs.tolist() == [10_300_000, 15_450_000, 25_750_000, 10_300_000, 20_600_000, 10_300_000, 10_300_000, 0, 0, 0]


UK = AuctionRules(undersubscribed="partial_at_lowest_bid", below_secondary="partial", lot=500)
UK_BIDS = alone([(50, 4000), (40, 3000), (30, 2000), (21, 5000)])


def test_short_of_bids_the_lowest_above_the_reserve_is_the_price() -> None:
    result = clear(UK, 10_000, UK_BIDS, reserve=22)
    assert (result.outcome, result.reason, money(result), result.sold, result.unsold) == ("partial", "undersubscribed", 30, 9000, 1000)
    assert result.reasons.tolist() == [0, 0, 0, BidReason.BELOW_RESERVE]


def test_far_below_the_secondary_market_only_bids_that_match_it_are_filled() -> None:
    result = clear(UK, 10_000, UK_BIDS, reserve=22, secondary=45)
    assert (result.outcome, result.reason, money(result), result.sold) == ("partial", "below_secondary", 50, 4000)
    assert result.awards.tolist() == [4000, 0, 0, 0]
    assert clear(UK, 10_000, UK_BIDS, reserve=22, secondary=30).reason == "undersubscribed"
    gone = clear(UK, 10_000, UK_BIDS, reserve=22, secondary=51)
    assert (gone.outcome, gone.reason, gone.sold, gone.price) == ("cancelled", "below_secondary", 0, None)
    cancel = clear(AuctionRules(below_secondary="cancel"), 9_000, UK_BIDS, secondary=31)
    assert (cancel.outcome, cancel.reason, cancel.unsold) == ("cancelled", "below_secondary", 9000)
    assert clear(AuctionRules(below_secondary="cancel"), 9_000, UK_BIDS, secondary=30).outcome == "cleared"
    assert clear(AuctionRules(below_secondary="ignore"), 9_000, UK_BIDS, secondary=99).outcome == "cleared"


def test_one_bid_below_a_secret_reserve_turns_a_partial_sale_into_none() -> None:
    rules = AuctionRules(undersubscribed="partial_or_decline")
    part = clear(rules, 10_000, alone([(75, 4000), (71, 3000)]), reserve=70)
    assert (part.outcome, part.sold, money(part), part.unsold) == ("partial", 7000, 71, 3000)
    none = clear(rules, 10_000, alone([(75, 4000), (71, 3000), (69, 1000)]), reserve=70)
    assert (none.outcome, none.reason, none.sold, none.unsold, none.price) == ("declined", "bid_below_reserve", 0, 10_000, None)
    assert none.awards.tolist() == [0, 0, 0]
    assert clear(rules, 10_000, [], reserve=70).outcome == "declined"
    enough = clear(rules, 7_000, alone([(75, 4000), (71, 3000), (69, 1000)]), reserve=70)
    assert (enough.outcome, enough.sold) == ("cleared", 7000)


def test_ties_pro_rata_in_whole_units_and_the_last_ones_drawn() -> None:
    seed = next(seed for seed in range(100) if np.argsort(draws(seed, 3)).tolist() == [1, 0, 2])
    result = clear(AuctionRules(ranking="pro_rata", lot=1000), 10_000, alone([(20, 7000), (20, 5000), (20, 3000)]), seed=seed)
    assert result.awards.tolist() == [4666, 3334, 2000]
    other = next(seed for seed in range(100) if np.argsort(draws(seed, 3))[0] == 2)
    assert clear(AuctionRules(ranking="pro_rata", lot=1000), 10_000, alone([(20, 7000), (20, 5000), (20, 3000)]), seed=other).awards[2] == 2001


def test_the_guarantee_covers_the_dearest_way_to_fill_a_schedule() -> None:
    schedule = [(0, 15, 10_000), (0, 12, 50_000), (0, 10, 40_000)]
    assert bid_guarantee(CENT, bids_of(schedule)).tolist() == [100_000_000]
    assert bid_guarantee(CENT, bids_of([*schedule[:2], (2, 1, 1)])).tolist() == [72_000_000, 0, 100]
    assert bid_guarantee(CENT, bids_of([])).tolist() == []
    assert bid_guarantee(CENT, bids_of([(0, None, 10), (1, 3, 5)])).tolist() == [3000, 1500]


def test_what_is_bid_for_in_lots_leaves_odd_units_unsold() -> None:
    rules = AuctionRules(lot=1000, ranking="pro_rata")
    result = clear(rules, 25_296_369, [(0, 14.75, 20_000_000), (1, 14.75, 898_000)], reserve=14.75)
    assert (result.outcome, result.sold, result.unsold, money(result)) == ("partial", 20_898_000, 4_398_369, D("14.75"))


# -- each switch


def test_under_subscription() -> None:
    short = alone([(9, 4), (8, 3)])
    found = {}
    for word in ("cancel", "partial_at_reserve", "partial_at_lowest_bid", "partial_or_decline"):
        result = clear(AuctionRules(undersubscribed=word), 10, short, reserve=5)
        found[word] = (result.outcome, money(result), result.sold, result.unsold)
    assert found == {
        "cancel": ("cancelled", None, 0, 10),
        "partial_at_reserve": ("partial", 5, 7, 3),
        "partial_at_lowest_bid": ("partial", 8, 7, 3),
        "partial_or_decline": ("partial", 8, 7, 3),
    }
    for word in found:
        assert clear(AuctionRules(undersubscribed=word), 7, short, reserve=5).outcome == "cleared"
    assert clear(AuctionRules(undersubscribed="partial_at_reserve"), 10, short).price == 800
    assert clear(CENT, 10, []).reason == "no_bids"
    assert clear(CENT, 0, short).reason == "nothing_offered"


def test_random_ties_are_drawn_by_the_seed_and_the_last_one_is_filled_in_part() -> None:
    tied = alone([(7, 10), (7, 10), (7, 10), (8, 5)])
    seen = set()
    for seed in range(200):
        result = clear(AuctionRules(ranking="random"), 20, tied, seed=seed)
        awards = result.awards.tolist()
        assert awards[3] == 5
        assert sorted(awards[:3]) == [0, 5, 10]
        assert awards == clear(AuctionRules(ranking="random"), 20, tied, seed=seed).awards.tolist()
        seen.add(tuple(awards))
    assert len(seen) == 6, "all orders of three equal bids are drawn"
    assert clear(AuctionRules(ranking="time"), 20, tied).awards.tolist() == [10, 5, 0, 5]


def test_random_ties_favour_nobody() -> None:
    tied = alone([(7, 1)] * 5)
    wins = sum(clear(AuctionRules(ranking="random"), 1, tied, seed=seed).awards for seed in range(2000))
    assert all(abs(int(count) - 400) < 80 for count in wins), wins.tolist()  # four standard deviations are 72


def test_pay_as_bid() -> None:
    result = clear(AuctionRules(pricing="pay_as_bid"), 10, [(0, 9, 4), (0, 8, 3), (1, 7, 5)])
    assert money(result) == 7
    assert result.awards.tolist() == [4, 3, 3]
    assert result.costs.tolist() == [6000, 2100]
    assert result.sheet()["mean_price_paid"] == D("8.1000")


def test_limits_trim_the_cheapest_bids_first() -> None:
    rows = [(0, 9, 40), (0, 7, 40), (0, 8, 40), (1, 8, 50)]
    result = clear(AuctionRules(lot=10), 1000, rows, reserve=5, limits=[75, -1])
    assert result.kept.tolist() == [40, 0, 30, 50]
    assert result.reasons.tolist() == [0, BidReason.OVER_LIMIT, BidReason.OVER_LIMIT, 0]
    whole = clear(AuctionRules(lot=10, over_limit="reject"), 1000, rows, reserve=5, limits=[75, -1])
    assert whole.kept.tolist() == [40, 0, 0, 50]
    share = clear(AuctionRules(lot=10, bid_limit_share=Fraction(1, 10)), 1000, rows, reserve=5)
    assert share.kept.tolist() == [40, 20, 40, 50]
    same_price = clear(AuctionRules(), 100, [(0, 5, 4), (0, 5, 4)], limits=[6])
    assert same_price.kept.tolist() == [4, 2]


def test_a_guarantee_trims_by_the_formula() -> None:
    rows = [(0, 15, 10_000), (0, 12, 50_000), (0, 10, 40_000)]
    enough = clear(AuctionRules(lot=1000), 200_000, rows, guarantees=[100_000_000])
    assert enough.kept.tolist() == [10_000, 50_000, 40_000]
    less = clear(AuctionRules(lot=1000), 200_000, rows, guarantees=[99_999_999])
    assert less.kept.tolist() == [10_000, 50_000, 39_000]
    little = clear(AuctionRules(lot=1000), 200_000, rows, guarantees=[70_000_000])
    assert little.kept.tolist() == [10_000, 48_000, 0]
    assert little.reasons.tolist() == [0, BidReason.OVER_GUARANTEE, BidReason.OVER_GUARANTEE]
    assert clear(AuctionRules(lot=1000), 200_000, rows, guarantees=[0]).reason == "no_bids"


def test_the_ceiling_and_the_volume_that_may_grow() -> None:
    rules = AuctionRules(ceiling_volume_multiple=Fraction(2))
    rows = alone([(65, 15_000_000), (70, 5_000_000), (60, 9_000_000)])
    result = clear(rules, 12_500_000, rows, reserve=55, ceiling=65)
    assert (money(result), result.sold, result.added, result.unsold) == (65, 20_000_000, 7_500_000, 0)
    most = clear(rules, 9_000_000, rows, reserve=55, ceiling=65)
    assert (most.sold, most.added) == (18_000_000, 9_000_000)
    below = clear(rules, 25_000_000, rows, reserve=55, ceiling=65)
    assert (money(below), below.added, below.sold) == (60, 0, 25_000_000)
    without = clear(AuctionRules(), 12_500_000, rows, reserve=55, ceiling=65)
    assert (without.sold, without.added) == (12_500_000, 0)


def test_containment_tiers_and_withholding() -> None:
    partly = clear(CENT, 23_121_518, alone([(14, 20_000_000), (13, 7_041_000), (12, 9_000_000)]), reserve=2.38, tiers=[(13, 11_976_778)])
    assert (money(partly), partly.containment_sold, partly.sold, partly.unsold) == (13, 3_919_482, 27_041_000, 0)
    assert partly.rules.price(partly.interim_price or 0) == 13
    out_of_it = clear(CENT, 15_855_839, alone([(17, 20_000_000), (16, 9_000_000)]), tiers=[(15.92, 8_416_278)])
    assert (money(out_of_it), out_of_it.containment_sold) == (16, 8_416_278)
    two = clear(CENT, 100, alone([(30, 120), (20, 40)]), tiers=[(19.5, 10), (29.25, 50)])
    assert (money(two), two.by_tier, two.sold) == (D("29.25"), (10, 10), 120)
    low = clear(CENT, 15_000_000, alone([(6, 12_000_000), (5, 9_000_000)]), reserve=2.38, withhold=(6, 11_310_000))
    assert (low.withheld, low.sold, low.unsold, money(low)) == (3_000_000, 12_000_000, 0, 6)
    capped = clear(CENT, 15_000_000, alone([(6, 12_000_000), (5, 9_000_000)]), reserve=2.38, withhold=(6, 1_000_000))
    assert (capped.withheld, capped.sold, money(capped)) == (1_000_000, 14_000_000, 5)
    assert clear(CENT, 15_000_000, [], reserve=2.38, withhold=(6, 1_000_000)).withheld == 1_000_000


def test_bids_without_a_price_are_served_first_up_to_their_share() -> None:
    rules = AuctionRules(non_competitive_share=Fraction(1, 5), ranking="pro_rata")
    result = clear(rules, 100, [(0, None, 30), (1, 9, 60), (2, 8, 60), (3, None, 10)])
    assert result.awards.tolist() == [15, 60, 20, 5]
    assert money(result) == 8
    assert result.costs.tolist() == [12_000, 48_000, 16_000, 4_000]
    few = clear(rules, 100, [(0, None, 7), (1, 9, 60), (2, 8, 60)])
    assert few.awards.tolist() == [7, 60, 33]
    refused = clear(CENT, 100, [(0, None, 7), (1, 9, 60)])
    assert refused.reasons.tolist() == [BidReason.NO_NON_COMPETITIVE, 0]
    unpriced = clear(AuctionRules(non_competitive_share=Fraction(1)), 100, [(0, None, 7)])
    assert (unpriced.outcome, unpriced.reason, unpriced.sold) == ("cancelled", "no_price", 0)
    assert clear(AuctionRules(non_competitive_share=Fraction(1)), 100, [(0, None, 7)], reserve=3).costs.tolist() == [2100]


def test_bids_that_break_the_form_do_not_count() -> None:
    rules = AuctionRules(lot=500, min_bid=1000, bids_per_bidder=1)
    rows = [(0, 9, -500), (0, 9, 0), (0, -1, 500), (0, 9, 500), (0, 9, 1250), (0, 9, 1500), (0, 8, 1500), (1, 8, 1500)]
    result = clear(rules, 10_000, rows)
    names = [BidReason(reason).name for reason in result.reasons.tolist()]
    assert names == ["BAD_QUANTITY", "BAD_QUANTITY", "BAD_PRICE", "BELOW_MINIMUM", "ODD_LOT", "COUNTS", "TOO_MANY_BIDS", "COUNTS"]
    assert result.sold == 3000


def test_consigned_units_of_a_joint_sale_sell_before_the_states_own() -> None:
    offers = Offers.of(
        ["here", "here", "here", "there"],
        ["state", "consigned", "state", "state"],
        [2016, 2016, 2014, 2016],
        [40_000_000, 15_559_000, 1_999_999, 10_116_952],
    )
    rules = AuctionRules(category_order={"consigned": 1, "state": 2})
    result = clear(rules, offers, alone([(12.73, 7_260_000)]), reserve=12.73)
    assert result.sold_of_offers.tolist() == [0, 6_174_695, 0, 1_085_305]
    assert int(result.sold_of_offers.sum()) == result.sold
    all_sold = clear(rules, offers, alone([(13, 99_000_000)]))
    assert all_sold.sold_of_offers.tolist() == offers.quantity.tolist()
    with pytest.raises(AuctionError, match="no place in the order of sale for gift"):
        clear(rules, Offers.of(["a"], ["gift"], [2016], [1]), [])


def test_a_finer_step_than_the_coin_is_paid_to_the_nearest_coin() -> None:
    rules = AuctionRules(price_step=D("0.0025"))
    result = clear(rules, 10, [(0, D("7.0025"), 3), (1, D("7.0025"), 2)], reserve=D("7.0025"))
    assert result.costs.tolist() == [2101, 1401]  # 21.0075 and 14.005: halves go up


# -- refusals


def test_the_inputs_are_left_as_they_are() -> None:
    bids = bids_of([(0, 9, 4), (1, 8, 7)])
    before = [column.copy() for column in (bids.bidder, bids.price, bids.quantity)]
    clear_auction(AuctionRules(ranking="pro_rata"), 5, bids, limits=np.array([3, 3]), ceiling=850)
    assert all(np.array_equal(a, b) for a, b in zip(before, (bids.bidder, bids.price, bids.quantity), strict=True))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: AuctionRules(ranking="alphabet"), "unknown_choice: ranking is 'alphabet'; it is one of random, time, pro_rata"),
        (lambda: AuctionRules(lot=0), "bad_rule: lot"),
        (lambda: AuctionRules(price_step=D(0)), "bad_rule: price_step"),
        (lambda: AuctionRules(bid_limit_share=Fraction(3, 2)), "bad_rule: bid_limit_share"),
        (lambda: AuctionRules.of({"raking": "time"}), "unknown_switch: raking; there are .*ranking"),
        (lambda: AuctionRules.of({"bid_limit_share": 0.25}), "bad_rule: 0.25 is a binary float"),
        (lambda: CENT.ticks(D("1.005")), "price_off_tick: 1.005"),
        (lambda: Bids.of([0, 1], [5], [5, 5]), "bad_bids: columns of 2, 1, 2, 2 rows"),
        (lambda: Bids.of([0], [1.5], [5]), "bad_bids: price is a column of float64"),
        (lambda: Bids.of([-1], [1], [5]), "bad_bids: bidders are numbered from 0"),
        (lambda: clear_auction(CENT, -1, bids_of([])), "bad_offer"),
        (lambda: clear_auction(CENT, 1, bids_of([]), reserve=D("22")), "bad_price: reserve is Decimal"),  # type: ignore[arg-type]
        (lambda: clear_auction(CENT, 1, bids_of([]), reserve=5, ceiling=4), "bad_price: a ceiling of 4 ticks"),
        (lambda: clear_auction(CENT, 1, bids_of([]), tiers=[(5, 1), (4, 1)]), "bad_tiers"),
        (lambda: clear_auction(CENT, 1, bids_of([(3, 1, 1)]), limits=[1]), "bad_limits: limits for 1 bidders, and there are 4"),
        (lambda: clear_auction(CENT, 1, Bids.of([0], [2**40], [2**40])), "too_large"),
        (lambda: clear_auction(CENT, 1, Bids.of([0] * 4, [1] * 4, [2**61] * 4)), "too_large"),
    ],
)
def test_refusals(wrong: Any, said: str) -> None:
    with pytest.raises(AuctionError, match=said):
        wrong()


def test_rules_of_a_rulebooks_mapping() -> None:
    rules = AuctionRules.of({"ranking": "time", "bid_limit_share": D("0.25"), "price_step": 50, "lot": 100, "min_bid": None, "decimals": 0})
    assert (rules.ranking, rules.bid_limit_share, rules.price_step, rules.step, rules.minimum) == ("time", Fraction(1, 4), D(50), 100, 100)
    assert rules.bid_limit(1_003) == 250
    assert rules.tick_value == 50


# -- the sheet


def test_the_sheet_has_what_venues_publish() -> None:
    rows = [(0, 10, 600), (1, 9, 300), (2, 8, 200), (2, 7, 400), (3, 4, 500)]
    sheet = clear(CENT, 1000, rows, reserve=5, tiers=[(9.5, 100)]).sheet(["compliance", "bank", "compliance", "bank"], ["compliance"])
    assert sheet["price"] == D("8.00")
    assert (sheet["offered"], sheet["sold"], sheet["unsold"]) == (1000, 1000, 0)
    assert sheet["cover_ratio"] == D("1.50")
    assert (sheet["bidders"], sheet["winners"], sheet["bids"]) == (4, 3, 5)
    assert (sheet["min_bid"], sheet["max_bid"]) == (D("7.00"), D("10.00"))
    assert (sheet["mean_bid"], sheet["median_bid"]) == (D("8.50"), D("8.5000"))
    assert sheet["mean_bid_by_unit"] == D("8.7333")
    assert sheet["median_bid_by_unit"] == D("9.00")
    assert sheet["percent_won"] == {"bank": D("30.00"), "compliance": D("70.00")}
    assert sheet["percent_won_by_compliance"] == D("70.00")
    assert sheet["hhi"] == D("4600.00")  # 60 x 60 + 30 x 30 + 10 x 10
    assert sheet["distribution"] == [600, 300, 100]
    assert (sheet["containment_available"], sheet["containment_sold"]) == (100, 0)
    assert sheet["proceeds"] == D("8000.00")


def test_the_first_korean_auction_in_numbers() -> None:
    """Published: 550,000 offered and sold, 7 bidders, 4 winners, bids from 23,100 to 27,500, 1,070,000 bid for in all, price 25,500."""
    rules = AuctionRules(ranking="time", price_step=D(50), bid_step=100, min_bid=1000, decimals=0)
    prices = [27_500, 26_000, 25_700, 25_500, 25_000, 24_000, 23_100]
    sheet = clear(rules, 550_000, alone(list(zip(prices, [165_000, 165_000, 165_000, 145_000, 165_000, 165_000, 100_000], strict=True)))).sheet()
    assert (sheet["price"], sheet["sold"], sheet["bidders"], sheet["winners"]) == (25_500, 550_000, 7, 4)
    assert (sheet["min_bid"], sheet["max_bid"], sheet["bid_units"]) == (23_100, 27_500, 1_070_000)


def test_the_sheet_of_nothing() -> None:
    sheet = clear(CENT, 100, []).sheet([])
    assert (sheet["price"], sheet["cover_ratio"], sheet["bidders"], sheet["hhi"], sheet["median_bid"]) == (None, D("0.00"), 0, None, None)
    assert sheet["distribution"] == []
    assert clear(CENT, 0, []).sheet()["cover_ratio"] is None
    with pytest.raises(AuctionError, match="bad_kinds: kinds of 1 bidders, and there are 2"):
        clear(CENT, 10, alone([(5, 1), (5, 1)])).sheet(["bank"])


def test_the_median_by_unit() -> None:
    for rows, median in (
        ([(10, 1), (20, 1)], "15.00"),
        ([(10, 1), (20, 2)], "20.00"),
        ([(10, 2), (20, 1)], "10.00"),
        ([(10, 3), (20, 3), (30, 1)], "20.00"),
    ):
        assert clear(CENT, 1, alone(rows)).sheet()["median_bid_by_unit"] == D(median)


# -- parts


def test_depth_by_table_and_by_sorting_agree() -> None:
    random = Random(4)
    for spread in (50, 1 << 30):
        prices = np.array([random.randrange(1, spread) for _ in range(200)], dtype=np.int64)
        units = np.array([random.randrange(0, 9) for _ in range(200)], dtype=np.int64)
        depth = Depth.of(prices, units)
        for price in {*prices.tolist(), 0, spread}:
            assert depth.at(price) == int(units[prices >= price].sum())
        assert (np.diff(depth.prices) < 0).all()
        assert (np.diff(depth.demand) > 0).all()


# -- the law's own rules


def random_book(random: Random, most: int = 60) -> list[tuple[D, int]]:
    return [(D(random.randrange(1, 12)), random.randrange(1, most)) for _ in range(random.randrange(1, 9))]


def test_a_public_floor_as_the_law_has_it() -> None:
    random = Random(1)
    for _ in range(400):
        book, offered, floor = random_book(random), random.randrange(1, 200), D(random.randrange(1, 8))
        law = reserve_outcome(2020, offered, book, reserve_price_by_year={2020: floor})
        result = clear(AuctionRules(), offered, alone(book), reserve=floor)
        assert (result.sold, result.unsold) == (law["sold"], law["unsold"])
        assert not result.sold or money(result) == law["price"]


def test_containment_as_the_law_has_it() -> None:
    random = Random(2)
    for _ in range(600):
        book, offered, floor = random_book(random), random.randrange(1, 200), D(random.randrange(1, 4))
        first, second = sorted((random.randrange(5, 10), random.randrange(5, 12)))
        sizes, low = (random.randrange(1, 60), random.randrange(1, 60)), D(random.randrange(3, 6))
        before = (random.randrange(0, 20), random.randrange(0, 20))
        law = reserves_outcome(
            2020,
            offered,
            book,
            list(before),
            7,
            containment_trigger_by_year={2020: D(first)},
            containment_size_by_year={2020: sizes[0]},
            containment_trigger_2_by_year={2020: D(second)},
            containment_size_2_by_year={2020: sizes[1]},
            emissions_trigger_by_year={2020: low},
            emissions_size_by_year={2020: 40},
            auction__reserve_price_by_year={2020: floor},
        )
        tiers = [(price, max(size - gone, 0)) for price, size, gone in zip((first, second), sizes, before, strict=True)]
        result = clear(AuctionRules(), offered, alone(book), reserve=floor, tiers=tiers, withhold=(low, 33))
        got = (result.containment_sold, result.withheld, result.sold, result.rules.price(result.interim_price or 0))
        assert got == (law["containment_sold"], law["withheld"], law["sold"], law["interim_price"])
        assert not result.sold or money(result) == law["price"]


def test_a_corridor_as_the_law_has_it() -> None:
    random = Random(3)
    for _ in range(400):
        book, offered = random_book(random), random.randrange(1, 200)
        law = corridor_outcome(2026, offered, book, corridor_floor={2026: D(4)}, corridor_ceiling={2026: D(8)}, ceiling_volume_multiple=D("1.5"))
        result = clear(AuctionRules(ceiling_volume_multiple=Fraction(3, 2)), offered, alone(book), reserve=4, ceiling=8)
        assert (result.sold, result.unsold, result.added) == (law["sold"], law["unsold"], law["added"])
        assert not result.sold or money(result) == law["price"]


def test_partial_clearing_and_declining_as_the_law_has_them() -> None:
    random = Random(4)
    for _ in range(400):
        book, offered, floor = random_book(random), random.randrange(1, 200), D(random.randrange(1, 8))
        other = random.choice([None, D(random.randrange(1, 12))])
        law = partial_outcome(2020, offered, book, other, reserve_price_by_year={2020: floor})
        result = clear(UK_LIKE, offered, alone(book), reserve=floor, secondary=other)
        assert (money(result), result.sold, result.unsold) == (law["price"], law["sold"], law["unsold"])
        law = confidential_outcome(2020, offered, book, floor, reserve_price_by_year={2020: D(2)})
        result = clear(AuctionRules(undersubscribed="partial_or_decline"), offered, alone(book), reserve=max(floor, D(2)))
        assert (money(result), result.sold, result.unsold) == (law["price"], law["sold"], law["unsold"])
        assert (result.outcome == "declined") == law["declined"]


UK_LIKE = AuctionRules(undersubscribed="partial_at_lowest_bid", below_secondary="partial")


def test_sealed_bids_by_time_as_the_law_has_them() -> None:
    random = Random(5)
    for _ in range(400):
        book, offered, floor = random_book(random), random.randrange(1, 200), D(random.randrange(1, 8))
        own = random.random() < 0.5
        law = sealed_outcome(offered, book, floor, "sale", pay_as_bid={"sale": own})
        rules = AuctionRules(ranking="time", undersubscribed="partial_at_lowest_bid", pricing="pay_as_bid" if own else "lowest_accepted")
        result = clear(rules, offered, alone(book), reserve=floor)
        assert (result.sold, result.unsold, result.awards.tolist()) == (law["sold"], law["unsold"], law["filled"])
        assert D(int(result.costs.sum())) / 100 == law["proceeds"]


def test_ties_joint_sales_and_guarantees_as_the_law_has_them() -> None:
    random = Random(6)
    for _ in range(300):
        wanted = np.array([random.randrange(1, 50) for _ in range(random.randrange(1, 8))], dtype=np.int64)
        left, seed = random.randrange(1, 250), random.randrange(10**9)
        rank = np.argsort(np.argsort(draws(seed, len(wanted))))
        assert share_of_last(np.arange(len(wanted)), wanted, left, "pro_rata", seed).tolist() == tie_shares(left, wanted, rank).tolist()
        rows = random.randrange(1, 9)
        places, kinds = [random.choice("ABC") for _ in range(rows)], [random.choice(["state", "consigned"]) for _ in range(rows)]
        years, units = [random.randrange(2013, 2016) for _ in range(rows)], [random.randrange(0, 90) for _ in range(rows)]
        order, sold = {"consigned": 1, "state": 2}, random.randrange(0, sum(units) + 1)
        ours = sold_of_each(sold, np.array(places), np.array(kinds), np.array(years), np.array(units), order)
        assert ours.tolist() == law_sold_of_each(sold, places, kinds, years, units, sale_order=order).tolist()
        assert int(ours.sum()) == sold
        book = random_book(random)
        assert bid_guarantee(CENT, bids_of([(0, price, quantity) for price, quantity in book])).tolist() == [int(law_guarantee(book) * 100)]
