"""One-way bidding: a seller puts units out and buyers bid, or the mirror of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.market.negotiated import MINUTE, DealLimits, Method, Refused, Side, Trade
from tonne.market.one_way import Application, Bid, Notice, OneWayResult, OneWayRules, Pricing, announce, bid, close

DAY = date(2025, 6, 18)
OPENS, CLOSES = 100 * MINUTE, 160 * MINUTE
RULES = OneWayRules(DealLimits(min_lots=100), notice=60 * MINUTE)
SALE = Application("o1", applicant=9, side=Side.SELL, instrument="cea", lots=1_000, limit_ticks=5_000, opens=OPENS, closes=CLOSES, increment=10)


def reason(answer):
    assert isinstance(answer, Refused), answer
    return answer.reason.value


def notice(**changes):
    made = announce(RULES, replace(SALE, **changes), time=0)
    assert isinstance(made, Notice), made
    return made


def entered(told, *rows):
    """Bids (bidder, ticks, lots), a minute apart."""
    bids: tuple[Bid, ...] = ()
    for k, row in enumerate(rows):
        answer = bid(told, bids, Bid(*row, time=OPENS + k * MINUTE))
        assert not isinstance(answer, Refused), answer
        bids = answer
    return bids


def outcome(told, bids):
    result = close(told, bids, DAY, CLOSES)
    assert isinstance(result, OneWayResult)
    return result


def won(result):
    return [(award.bid.bidder, award.lots, award.ticks) for award in result.awards]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lots": 99}, "below_minimum"), ({"limit_ticks": 0}, "bad_price"), ({"smallest_bid": 1_001}, "bad_quantity"),
        ({"extra_lots": -1}, "bad_quantity"),
        ({"least_lots": 1_001}, "bad_quantity"), ({"increment": 0}, "off_increment"), ({"reserve_ticks": 4_999}, "beyond_limit"),
        ({"closes": OPENS}, "bad_window"), ({"opens": 59 * MINUTE}, "notice_too_short"), ({"opens": -1}, "bad_window"),
    ],
)  # fmt: skip
def test_applications_that_are_refused(changes, named):
    assert reason(announce(RULES, replace(SALE, **changes), time=0)) == named


def test_notice_may_be_exactly_long_enough_and_the_price_inside_a_limit():
    assert isinstance(announce(RULES, replace(SALE, opens=60 * MINUTE), time=0), Notice)
    limited = OneWayRules(DealLimits(price_limit_share=1))
    assert reason(announce(limited, SALE, 0)) == "no_reference_price" and isinstance(announce(limited, SALE, 0, 2_500), Notice)
    assert reason(announce(limited, SALE, 0, 2_499)) == "price_limit"


@pytest.mark.parametrize(
    ("new", "named"),
    [
        (Bid(1, 5_000, 100, OPENS - 1), "window_closed"), (Bid(1, 5_000, 100, CLOSES), "window_closed"), (Bid(9, 5_000, 100, OPENS), "own_account"),
        (Bid(7, 5_000, 100, OPENS), "not_admitted"), (Bid(1, 5_000, 0, OPENS), "bad_quantity"), (Bid(1, 5_000, 49, OPENS), "below_minimum"),
        (Bid(1, 5_000, 1_001, OPENS), "above_maximum"), (Bid(1, 0, 100, OPENS), "bad_price"), (Bid(1, 4_990, 100, OPENS), "beyond_limit"),
        (Bid(1, 5_005, 100, OPENS), "off_increment"),
    ],
)  # fmt: skip
def test_bids_that_are_refused(new, named):
    assert reason(bid(notice(admitted=frozenset({1, 2, 9}), smallest_bid=50), (), new)) == named


def test_a_bid_is_only_raised():
    told = notice()
    bids = entered(told, (1, 5_100, 300))
    later = OPENS + 5 * MINUTE
    for ticks, lots in ((5_090, 400), (5_100, 300), (5_110, 299)):
        assert reason(bid(told, bids, Bid(1, ticks, lots, later))) == "not_raised"
    assert bid(told, bids, Bid(1, 5_110, 300, later)) == (Bid(1, 5_110, 300, later),), "it takes the place of the old one, with its own time"
    assert bid(told, bids, Bid(1, 5_100, 301, later)) == (Bid(1, 5_100, 301, later),)


def test_time_does_not_run_back():
    told = notice()
    bids = entered(told, (1, 5_100, 300), (2, 5_200, 300))
    assert reason(bid(told, bids, Bid(3, 5_300, 300, OPENS))) == "clock_backwards"


def test_price_then_time_then_quantity():
    told = notice()
    bids = entered(told, (1, 5_100, 400), (2, 5_200, 300), (3, 5_100, 500))
    bids = bid(told, bids, Bid(4, 5_100, 600, OPENS + 2 * MINUTE))
    result = outcome(told, bids)
    assert won(result) == [(2, 300, 5_200), (1, 400, 5_100), (4, 300, 5_100), (3, 0, 5_100)], "at one price and time the larger bid comes first"
    assert (result.outcome, result.traded, result.left) == ("sold", 1_000, 0)
    assert result.trades[0] == Trade(2, 9, "cea", 5_200, 300, DAY, CLOSES, Method.ONE_WAY, "o1")


def test_one_price_for_all_winners():
    told = notice(pricing=Pricing.LAST_WINNING_BID)
    result = outcome(told, entered(told, (1, 5_400, 600), (2, 5_200, 600), (3, 5_100, 600)))
    assert won(result) == [(1, 600, 5_200), (2, 400, 5_200), (3, 0, 5_100)]


def test_whole_goes_to_the_best_bid_and_each_bid_beats_the_best():
    told = notice(divisible=False, beats_best=True)
    assert reason(bid(told, (), Bid(1, 5_000, 999, OPENS))) == "whole_only"
    bids = entered(told, (1, 5_000, 1_000), (2, 5_010, 1_000), (1, 5_020, 1_000))
    assert reason(bid(told, bids, Bid(2, 5_020, 1_000, OPENS + 9 * MINUTE))) == "not_raised"
    assert won(outcome(told, bids)) == [(1, 1_000, 5_020), (2, 0, 5_010)]


def test_a_secret_reserve():
    told = notice(reserve_ticks=5_200)
    bids = entered(told, (1, 5_200, 300), (2, 5_190, 900))
    result = outcome(told, bids)
    assert won(result) == [(1, 300, 5_200), (2, 0, 5_190)] and (result.outcome, result.left) == ("partly_sold", 700)
    nothing = outcome(told, bids[1:])
    assert (nothing.outcome, nothing.why, nothing.trades, nothing.left) == ("not_sold", "no bid meets the reserve", (), 1_000)
    assert outcome(told, ()).why == "no bids"


def test_less_than_the_seller_would_sell():
    told = notice(least_lots=800)
    assert outcome(told, entered(told, (1, 5_000, 799))).why == "fewer lots than the applicant would trade"
    assert outcome(told, entered(told, (1, 5_000, 800))).traded == 800


@pytest.mark.parametrize(("extra", "traded"), [(0, 1_000), (200, 1_200), (5_000, 1_800)])
def test_more_is_sold_only_as_far_as_bids_ask_for_it(extra, traded):
    told = notice(extra_lots=extra)
    result = outcome(told, entered(told, (1, 5_200, 900), (2, 5_100, 900)))
    assert (result.traded, result.left, result.outcome) == (traded, 0, "sold")
    assert outcome(told, entered(told, (1, 5_200, 900))).traded == 900


def test_the_window_must_be_over():
    assert reason(close(notice(), (), DAY, CLOSES - 1)) == "window_open"


def test_the_mirror_a_buyer_asks_and_sellers_bid_down():
    told = notice(side=Side.BUY, limit_ticks=5_000, reserve_ticks=4_950)
    assert reason(bid(told, (), Bid(1, 5_010, 100, OPENS))) == "beyond_limit"
    bids = entered(told, (1, 4_900, 600), (2, 4_880, 600), (3, 4_960, 900))
    assert reason(bid(told, bids, Bid(1, 4_910, 600, OPENS + 9 * MINUTE))) == "not_raised"
    result = outcome(told, bids)
    assert won(result) == [(2, 600, 4_880), (1, 400, 4_900), (3, 0, 4_960)]
    assert (result.trades[0].buyer, result.trades[0].seller) == (9, 2)
    assert reason(announce(RULES, replace(SALE, side=Side.BUY, reserve_ticks=5_010), 0)) == "beyond_limit"


rows = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 8), st.integers(1, 500), st.integers(0, 2)), max_size=25)


@settings(max_examples=200)
@given(rows, st.integers(0, 4), st.integers(0, 600), st.integers(0, 1_000), st.sampled_from(list(Pricing)))
def test_a_sale_and_its_mirror_add_up(rows, reserve, extra, least, pricing):
    """Whatever is bid: nobody gets more than it bid or pays more, nothing worse is served before better, and the mirror gives the mirrored result."""
    results = []
    for side, sign in ((Side.SELL, 1), (Side.BUY, -1)):
        told = notice(side=side, reserve_ticks=5_000 + sign * 10 * reserve, extra_lots=extra, least_lots=least, pricing=pricing)
        bids, time = (), OPENS
        for bidder, steps, lots, wait in rows:
            time += wait * MINUTE // 2
            answer = bid(told, bids, Bid(bidder, 5_000 + sign * 10 * steps, lots, time))
            bids = bids if isinstance(answer, Refused) else answer
        result = outcome(told, bids)
        results.append([(a.bid.bidder, a.lots, sign * (a.ticks - 5_000)) for a in result.awards])
        assert result.traded == sum(t.lots for t in result.trades) <= 1_000 + extra
        assert result.left == max(0, 1_000 - result.traded)
        full = True
        for award in result.awards:
            assert 0 <= award.lots <= award.bid.lots and sign * (award.bid.ticks - award.ticks) >= 0
            assert full or not award.lots, "one gets something although a better bid did not get all"
            full = full and award.lots == award.bid.lots
            if award.lots:
                assert sign * (award.ticks - 5_000) >= 10 * reserve
        meet = sum(b.lots for b in bids if sign * (b.ticks - 5_000) >= 10 * reserve)
        assert result.traded in (0, min(meet, 1_000 + extra))
        assert (result.traded == 0) == (meet == 0 or meet < least)
    assert results[0] == results[1]
