"""The switches of auctions and the days on which they are held: words in, words out, and every wrong one named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.dates import PLACES, WEEKDAYS, auction_dates
from tonne.rules.auction.format import (
    BELOW_SECONDARY,
    OVER_LIMIT,
    PRICING,
    RANKING,
    UNDERSUBSCRIPTION,
    auction_format,
    auction_unsold,
    unsold_spread,
)

D = Decimal
EU = {"pricing": "lowest_accepted", "ranking": "random", "undersubscription": "cancel", "below_secondary": "cancel", "lot": 500, "tick": D("0.01")}


def days(**pattern: Any) -> list[date]:
    return auction_dates(pattern.pop("year", 2022), auction_days={"one": pattern})


# -- switches


def test_switches_have_the_names_that_the_market_reads() -> None:
    assert auction_format(**EU) == {
        "pricing": "lowest_accepted",
        "ranking": "random",
        "undersubscribed": "cancel",
        "below_secondary": "cancel",
        "lot": 500,
        "price_step": D("0.01"),
    }


def test_all_switches_at_once() -> None:
    full = auction_format(
        pricing="pay_as_bid",
        ranking="pro_rata",
        undersubscription="partial_or_decline",
        below_secondary="partial",
        lot=1000,
        bid_step=100,
        minimum_bid=2000,
        price_step=50,
        bid_limit_share=D("0.15"),
        ceiling_volume_multiple=2,
        sale_order={"consigned": 1, "state": 2},
        non_competitive_share=D("0.1"),
        over_limit="reject",
        bids_per_bidder=1,
    )
    assert full["min_bid"] == 2000
    assert full["category_order"] == {"consigned": 1, "state": 2}
    assert len(full) == 14


def test_what_the_law_leaves_open_is_left_out() -> None:
    assert auction_format(pricing="lowest_accepted") == {"pricing": "lowest_accepted"}
    assert auction_format(pricing="lowest_accepted", sale_order={}) == {"pricing": "lowest_accepted"}


def test_a_price_step_stands_before_a_tick() -> None:
    assert auction_format(pricing="lowest_accepted", price_step=50, tick=1)["price_step"] == 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pricing", PRICING),
        ("ranking", RANKING),
        ("undersubscription", UNDERSUBSCRIPTION),
        ("below_secondary", BELOW_SECONDARY),
        ("over_limit", OVER_LIMIT),
    ],
)
def test_a_word_that_is_none_is_refused_with_those_that_are(name: str, words: tuple[str, ...]) -> None:
    for word in words:
        assert word in auction_format(**{**EU, name: word}).values()
    with pytest.raises(ValueError, match=f"{name}: 'uniform' .*{words[0]}, .*{words[-1]}"):
        auction_format(**{**EU, name: "uniform"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("lot", 0), ("bid_step", -1), ("minimum_bid", 0), ("price_step", 0), ("bid_limit_share", D("1.01")), ("bid_limit_share", 0)]
    + [("non_competitive_share", 2), ("ceiling_volume_multiple", D("0.9")), ("bids_per_bidder", 0)],
)
def test_a_figure_out_of_bounds_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        auction_format(**{**EU, name: value})


def test_the_market_takes_the_switches_as_they_are() -> None:
    rules = pytest.importorskip("tonne.market.auction").AuctionRules.of(auction_format(**EU))
    assert (rules.lot, rules.undersubscribed, rules.price_step) == (500, "cancel", D("0.01"))


def test_the_market_knows_the_same_words() -> None:
    choices = pytest.importorskip("tonne.market.auction").CHOICES
    assert {name: set(words) for name, words in choices.items()} == {
        "pricing": set(PRICING),
        "ranking": set(RANKING),
        "undersubscribed": set(UNDERSUBSCRIPTION),
        "below_secondary": set(BELOW_SECONDARY),
        "over_limit": set(OVER_LIMIT),
    }


# -- unsold


def test_where_unsold_units_go_follows_from_the_other_rules() -> None:
    assert auction_unsold() == {"goes": None}
    assert auction_unsold(spread_auctions=4, spread_ceiling=D("1.25")) == {"goes": "spread", "auctions": 4, "ceiling": D("1.25")}
    assert auction_unsold(spread_auctions=4) == {"goes": "spread", "auctions": 4}
    assert auction_unsold(unsold_passes_year_end=True) == {"goes": "next"}
    assert auction_unsold(unsold_passes_year_end=False) == {"goes": "next_in_year"}
    assert auction_unsold(reoffer_after_auctions=2, reoffer_limit_share=D("0.25"), unsold_months=24) == {
        "goes": "reoffer",
        "after_auctions": 2,
        "limit_share": D("0.25"),
        "months": 24,
    }


def test_a_written_word_stands_before_what_follows() -> None:
    assert auction_unsold(unsold_go_to="gone", spread_auctions=4) == {"goes": "gone"}
    with pytest.raises(ValueError, match="unsold_go_to: 'away'"):
        auction_unsold(unsold_go_to="away")


def test_a_cancelled_volume_is_spread_in_lots() -> None:
    """The Polish auctions of March and April 2022: 3,322,500 each."""
    rule = {"spread_auctions": 4, "lot": 500}
    assert unsold_spread(2_658_000, [2_658_000] * 5, **rule) == {"volumes": [3_322_500] * 4, "to_account": 0}
    assert unsold_spread(1_500, [500] * 4, **rule)["volumes"] == [1000, 1000, 1000, 500]
    assert unsold_spread(501, [500, 500], **rule)["volumes"] == [1001, 500]
    assert unsold_spread(500, [], **rule) == {"volumes": [], "to_account": 500}
    assert unsold_spread(7, [1, 1, 1, 1], spread_auctions=4) == {"volumes": [3, 3, 3, 2], "to_account": 0}
    with pytest.raises(ValueError, match="quantity"):
        unsold_spread(-1, [500], **rule)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), max_size=6), st.integers(1, 1000))
def test_nothing_is_lost_when_a_cancelled_volume_is_spread(unsold: int, planned: list[int], lot: int) -> None:
    told = unsold_spread(unsold, planned, spread_auctions=4, lot=lot)
    assert sum(told["volumes"]) + told["to_account"] == sum(planned[:4]) + unsold
    added = [now - before for now, before in zip(told["volumes"], planned, strict=False)]
    assert not added or max(added) - min(added) < 2 * lot


# -- days


def test_weekdays_of_every_week() -> None:
    told = days(weekdays=["monday", "tuesday", "thursday"])
    assert told[:4] == [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 6), date(2022, 1, 10)]
    assert len(told) == 156
    assert {day.weekday() for day in told} == {0, 1, 3}


def test_every_second_week_is_counted_from_a_day_before_or_behind() -> None:
    for counted in (date(2022, 3, 16), date(2019, 1, 9), date(2030, 1, 9)):
        assert (counted - date(2022, 3, 16)).days % 14 == 0
        told = days(weekdays=["wednesday"], every_weeks=2, counted_from=counted, months=[3, 4])
        assert told == [date(2022, 3, 2), date(2022, 3, 16), date(2022, 3, 30), date(2022, 4, 13), date(2022, 4, 27)]


def test_two_days_of_every_second_week_lie_in_one_week() -> None:
    told = days(weekdays=["friday", "monday"], every_weeks=2, counted_from="2022-03-16", months=[3])
    assert told == [date(2022, 3, 4), date(2022, 3, 14), date(2022, 3, 18), date(2022, 3, 28)]


def test_a_weekday_of_the_month() -> None:
    assert days(weekdays=["wednesday"], which=["second"], months=[1, 2]) == [date(2022, 1, 12), date(2022, 2, 9)]
    assert days(weekdays=["friday"], which=["first", "last"], months=[4]) == [date(2022, 4, 1), date(2022, 4, 29)]
    assert days(weekdays=["friday"], which=["fourth"], months=[4]) == [date(2022, 4, 22)]
    assert days(weekdays=["wednesday"], after_first="monday", months=[9], year=2021) == [date(2021, 9, 8)]
    assert days(weekdays=["wednesday"], after_first="monday", months=[9], year=2025) == [date(2025, 9, 3)]


def test_listed_days_bounds_pauses_and_moved_days() -> None:
    assert days(days=["2022-05-03", date(2022, 1, 4), "2021-12-31"]) == [date(2022, 1, 4), date(2022, 5, 3)]
    bounded = {"weekdays": ["wednesday"], "from": "2022-12-05", "until": date(2022, 12, 25), "pauses": [["12-20", "01-06"]]}
    assert days(**bounded) == [date(2022, 12, 7), date(2022, 12, 14)]
    assert days(weekdays=["wednesday"], months=[1], pauses=[["12-20", "01-06"]])[0] == date(2022, 1, 12)
    assert days(weekdays=["wednesday"], which=["first"], months=[1], moved=[["2022-01-05", "2022-01-11"]]) == [date(2022, 1, 11)]


def test_a_day_moved_over_the_year_s_end_is_where_it_was_moved_to() -> None:
    pattern = {"weekdays": ["wednesday"], "which": ["last"], "months": [12], "moved": [[date(2021, 12, 29), date(2022, 1, 4)]]}
    assert days(**pattern, year=2021) == []
    assert days(**pattern, year=2022) == [date(2022, 1, 4), date(2022, 12, 28)]


def test_several_series_hold_at_once_and_one_can_be_asked_for() -> None:
    law = {"platform": {"weekdays": ["monday"]}, "state": {"weekdays": ["friday"]}, "ended": None, "double": {"days": ["2022-01-03"]}}
    both = auction_dates(2022, auction_days=law)
    assert both[:3] == [date(2022, 1, 3), date(2022, 1, 7), date(2022, 1, 10)]
    assert auction_dates(2022, "state", auction_days=law)[0] == date(2022, 1, 7)
    assert auction_dates(2022, "ended", auction_days=law) == []
    with pytest.raises(ValueError, match=r"no series 'stat'.*platform, state"):
        auction_dates(2022, "stat", auction_days=law)


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ({"weekday": ["monday"]}, "'weekday': no word"),
        ({}, "either"),
        ({"weekdays": ["monday"], "days": []}, "either"),
        ({"weekdays": []}, "at least one weekday"),
        ({"weekdays": ["mon"]}, "'mon' is no weekday"),
        ({"weekdays": ["monday"], "which": ["fifth"]}, "'fifth' is no place"),
        ({"weekdays": ["monday"], "months": [13]}, "1 to 12"),
        ({"weekdays": ["monday"], "every_weeks": 2}, "counted_from"),
        ({"weekdays": ["monday"], "every_weeks": 0}, "every 0 weeks"),
        ({"weekdays": ["monday"], "which": ["first"], "after_first": "monday"}, "one of"),
        ({"days": ["3 January"]}, "not a day"),
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        auction_dates(2022, auction_days={"one": pattern})


@given(st.integers(1990, 2100), st.sampled_from(WEEKDAYS), st.sampled_from(PLACES))
def test_each_month_has_one_such_day(year: int, weekday: str, place: str) -> None:
    told = days(weekdays=[weekday], which=[place], year=year)
    assert [day.month for day in told] == list(range(1, 13))
    assert {day.weekday() for day in told} == {WEEKDAYS.index(weekday)}


@given(st.integers(1990, 2100), st.integers(1, 8), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_weeks_are_counted_without_a_gap_over_the_year_s_end(year: int, every: int, counted: date) -> None:
    weekday = WEEKDAYS[counted.weekday()]
    pattern = {"weekdays": [weekday], "every_weeks": every, "counted_from": counted}
    told = [day for one in (year, year + 1) for day in days(**pattern, year=one)]
    assert {(after - before).days for before, after in pairwise(told)} == {7 * every}
    assert all((day - counted).days % (7 * every) == 0 for day in told)
