"""Days of auctions, the split of a year's volume, and what unsold units do to the next auctions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tonne.administration.asks import answer, asks
from tonne.dates import is_business_day
from tonne.law import NotYetInForce, load
from tonne.law.catalogue import systems
from tonne.market.auction import AuctionRules
from tonne.market.auction_calendar import (
    GOES,
    CalendarError,
    DayRule,
    Outcome,
    Planned,
    UnsoldRule,
    auction_dates,
    months_later,
    series,
    split_volume,
)
from tonne.rules.auction.dates import auction_dates as law_dates
from tonne.rules.auction.format import unsold_spread as spread_in_lots
from tonne.rules.auction.unsold import auction_series, leaves_auctions, reoffered, unsold_spread

FORTNIGHT = DayRule.of({"weekdays": ["wednesday"], "every_weeks": 2, "counted_from": date(2026, 1, 14), "pauses": [["12-20", "01-06"]]})


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


# -- days


def test_every_second_wednesday() -> None:
    found = auction_dates(FORTNIGHT, 2026)
    assert len(found) == 25
    assert found[:2] == days("2026-01-14", "2026-01-28")
    assert all(later - earlier == timedelta(days=14) for earlier, later in pairwise(found))


def test_given_weekdays_the_nth_of_a_month_and_listed_days() -> None:
    weekly = auction_dates(DayRule(weekdays=(0, 1, 3), first=date(2023, 1, 9), last=date(2023, 1, 17)), 2023)
    assert weekly == days("2023-01-09", "2023-01-10", "2023-01-12", "2023-01-16", "2023-01-17")
    second = DayRule.of({"weekdays": ["wednesday"], "which": ["second"], "moved": [[date(2019, 1, 9), date(2019, 1, 23)]]})
    assert auction_dates(second, 2019)[:3] == days("2019-01-23", "2019-02-13", "2019-03-13")
    last = auction_dates(DayRule(weekdays=(4,), which=(-1,), months=(2, 12)), 2024)
    assert last == days("2024-02-23", "2024-12-27")
    after = auction_dates(DayRule.of({"weekdays": ["wednesday"], "after_first": "monday", "months": [5]}), 2024)
    assert after == days("2024-05-08")
    same = auction_dates(DayRule.of({"weekdays": ["monday"], "after_first": "monday", "months": [7]}), 2024)
    assert same == days("2024-07-08")
    out_of_a_pause = DayRule.of(
        {"weekdays": ["monday"], "months": [12], "pauses": [["12-20", "01-06"]], "moved": [[date(2024, 12, 23), date(2024, 12, 24)]]}
    )
    assert auction_dates(out_of_a_pause, 2024) == days("2024-12-02", "2024-12-09", "2024-12-16", "2024-12-24")
    quarterly = DayRule.of({"days": ["03-11", "06-03", "09-02", date(2026, 12, 2), "02-29"]})
    assert auction_dates(quarterly, 2026) == days("2026-02-28", "2026-03-11", "2026-06-03", "2026-09-02", "2026-12-02")
    assert auction_dates(quarterly, 2024) == days("2024-02-29", "2024-03-11", "2024-06-03", "2024-09-02")


def test_a_day_that_is_no_business_day_is_skipped_or_shifted() -> None:
    weekly = DayRule(weekdays=(4, 0), first=date(2024, 3, 25), last=date(2024, 4, 5))  # Good Friday 29 March, Easter Monday 1 April

    def open_(day: date) -> bool:
        return is_business_day(day, "DE")

    assert auction_dates(weekly, 2024) == days("2024-03-25", "2024-03-29", "2024-04-01", "2024-04-05")
    assert auction_dates(weekly, 2024, open_) == days("2024-03-25", "2024-04-05")
    assert auction_dates(weekly, 2024, open_, "next") == days("2024-03-25", "2024-04-02", "2024-04-03", "2024-04-05")
    assert auction_dates(weekly, 2024, open_, "previous") == days("2024-03-25", "2024-03-27", "2024-03-28", "2024-04-05")
    new_year = DayRule(days=((1, 1),))
    assert auction_dates(new_year, 2024, open_, "next") == days("2024-01-02")
    assert auction_dates(new_year, 2024, open_, "previous") == days("2024-12-31")


def test_the_same_words_mean_the_same_as_in_the_law() -> None:
    """Every pattern of days of the library, read by the law's rule and here."""
    compared = 0
    for name in systems():
        parameter = load(name).parameters.get("auction.auction_days")
        for entry in parameter.values if parameter is not None else ():
            for pattern in (entry.value or {}).values():
                for year in range(2012, 2030) if pattern is not None else ():
                    assert auction_dates(DayRule.of(pattern), year) == law_dates(year, auction_days={"series": pattern}), (name, pattern, year)
                    compared += 1
    assert compared >= 18


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"weekdays": ["wednesday"], "days": ["03-01"]},
        {"weekdays": ["wensday"]},
        {"weekdays": ["monday"], "which": ["sixth"]},
        {"weekdays": ["monday"], "every_weeks": 2},
        {"weekdays": ["monday"], "every_weeks": 2, "counted_from": date(2024, 1, 1), "which": ["first"]},
        {"weekdays": ["monday"], "months": [13]},
        {"days": ["13-01"]},
        {"weekday": ["monday"]},
    ],
)
def test_bad_rules_of_days(words: dict[str, Any]) -> None:
    with pytest.raises(CalendarError, match="bad_day_rule"):
        DayRule.of(words)


# -- volumes


def test_a_volume_is_split_in_lots_and_the_rest_is_placed() -> None:
    assert split_volume(11_250, 4, 500) == [3250, 3000, 2500, 2500]
    assert split_volume(11_250, 4, 500, "first") == [3750, 2500, 2500, 2500]
    assert split_volume(11_250, 4, 500, "last") == [2500, 2500, 2500, 3750]
    assert split_volume(7, 3) == [3, 2, 2]
    assert split_volume(1000, 3, 100, "last", weights=[2, 1, 1]) == [500, 200, 300]
    assert split_volume(1000, 3, 100, "first", weights=[0, 1, 1]) == [0, 500, 500]
    assert split_volume(0, 3) == [0, 0, 0]
    for wrong in ((5, 0), (-1, 2), (5, 2, 0), (5, 2, 1, "middle"), (5, 2, 1, "last", [1])):
        with pytest.raises(CalendarError, match="bad_split"):
            split_volume(*wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("remainder", ["first", "last", "spread"])
def test_nothing_of_a_volume_is_lost(remainder: str) -> None:
    random = Random(1)
    for _ in range(200):
        volume, auctions, lot = random.randrange(10**7), random.randrange(1, 60), random.choice([1, 500, 1000])
        weights = random.choice([None, [random.randrange(1, 4) for _ in range(auctions)]])
        parts = split_volume(volume, auctions, lot, remainder, weights)
        assert sum(parts) == volume
        assert sum(part % lot > 0 for part in parts) <= 1
        if weights is None and remainder == "spread":
            assert max(parts) - min(parts) <= lot + volume % lot


# -- unsold units


def plan(quantities: list[int], every: int = 14, first: str = "2022-03-02") -> list[Planned]:
    return [Planned(date.fromisoformat(first) + timedelta(days=every * place), quantity) for place, quantity in enumerate(quantities)]


def test_a_cancelled_auction_spread_over_the_next_four() -> None:
    """Published: Poland, March 2022; 3,322,500 in each of the next four auctions."""
    found = series(UnsoldRule("spread", auctions=4, lot=500), plan([2_658_000] * 6), [Outcome(0)])
    assert [auction.offered for auction in found.auctions] == [2_658_000, 3_322_500, 3_322_500, 3_322_500, 3_322_500, 2_658_000]
    assert [auction.day for auction in found.auctions[1:5]] == days("2022-03-16", "2022-03-30", "2022-04-13", "2022-04-27")
    assert (found.to_reserve, found.gone, found.waiting) == (0, 0, 0)


def test_a_quarter_each_under_a_ceiling_and_the_rest_to_the_reserve() -> None:
    rule = UnsoldRule("spread", auctions=4, ceiling=Fraction(5, 4))
    some = series(rule, plan([10_000] * 6), [Outcome(9_000)])
    assert [auction.offered for auction in some.auctions] == [10_000, 10_250, 10_250, 10_250, 10_250, 10_000]
    much = series(rule, plan([12_000, *[10_000] * 5]), [Outcome(0)])
    assert [auction.offered for auction in much.auctions] == [12_000, 12_500, 12_500, 12_500, 12_500, 10_000]
    assert much.to_reserve == 2_000
    twice = series(rule, plan([10_000] * 6), [Outcome(9_000), Outcome(1_000)])
    assert [auction.offered for auction in twice.auctions] == [10_000, 10_250, 12_500, 12_500, 12_500, 12_500]
    assert twice.to_reserve == 0
    lots = series(UnsoldRule("spread", auctions=4, ceiling=Fraction(5, 4), lot=500), plan([10_000] * 6), [Outcome(9_000)])
    assert [auction.added for auction in lots.auctions] == [0, 500, 500, 0, 0, 0]
    at_the_end = series(rule, plan([10_000] * 2), [Outcome(10_000), Outcome(4_000)])
    assert at_the_end.to_reserve == 6_000


def test_a_spread_as_the_law_has_it() -> None:
    random = Random(2)
    for _ in range(300):
        planned = [random.randrange(1, 60) * 100 for _ in range(random.randrange(1, 7))]
        unsold = random.randrange(0, planned[0] + 1)
        law = unsold_spread(unsold, planned[1:], spread_auctions=4, spread_ceiling=D("1.25"))
        found = series(UnsoldRule("spread", auctions=4, ceiling=Fraction(5, 4)), plan(planned), [Outcome(planned[0] - unsold)])
        assert [auction.offered for auction in found.auctions[1:5]] == law["volumes"]
        assert found.to_reserve == law["to_account"]


def test_a_spread_in_lots_as_the_law_has_it() -> None:
    random = Random(4)
    for _ in range(300):
        planned = [random.randrange(0, 10_000) for _ in range(random.randrange(1, 7))]
        unsold, lot = random.randrange(0, planned[0] + 1), random.choice([1, 500, 1000])
        law = spread_in_lots(unsold, planned[1:], spread_auctions=4, lot=lot)
        found = series(UnsoldRule("spread", auctions=4, lot=lot), plan(planned), [Outcome(planned[0] - unsold)])
        assert [auction.offered for auction in found.auctions[1:5]] == law["volumes"]
        assert found.to_reserve == law["to_account"]


def test_every_rulebooks_words_are_understood() -> None:
    """What the law answers on auctions is what the engine takes, day by day on which a switch changes."""
    understood = 0
    for name in systems():
        book = load(name)
        for ask, read in (("auction_format", AuctionRules.of), ("auction_unsold", UnsoldRule.of)):
            parameters = [one for path, one in book.parameters.items() if path.startswith("auction.")] if book.system.has_law else []
            for day in sorted({max(value.starts, book.system.begins) for one in parameters for value in one.values}) if ask in asks(book) else ():
                try:
                    words = answer(book.at(day), ask)
                except NotYetInForce:
                    continue
                read(words)
                understood += 1
    assert understood >= 20


def test_the_next_auction_takes_all_and_nothing_passes_the_year() -> None:
    none = plan([4_475_000] * 4, 91, "2023-03-15")
    found = series(UnsoldRule("next_in_year"), none, [Outcome(0)] * 4)
    assert [auction.offered for auction in found.auctions] == [4_475_000, 8_950_000, 13_425_000, 17_900_000]
    assert (found.gone, found.left_over) == (17_900_000, 0)
    law = auction_series([4_475_000] * 4, [0] * 4, unsold_passes_year_end=False)
    assert ([auction.offered for auction in found.auctions], found.gone) == (law["offered"], law["gone"])
    assert series(UnsoldRule("next"), none, [Outcome(0)] * 4).left_over == 17_900_000
    over_the_year = [Planned(date(2023, 12, 6), 100), Planned(date(2024, 3, 20), 100)]
    assert series(UnsoldRule("next_in_year"), over_the_year, [Outcome(40)]).gone == 60
    assert [auction.offered for auction in series(UnsoldRule("next"), over_the_year, [Outcome(40)]).auctions] == [100, 160]


def test_units_wait_until_enough_auctions_settled_above_the_floor() -> None:
    rule = UnsoldRule("reoffer", after_auctions=2, limit_share=Fraction(1, 4))
    planned = plan([25_296_369, 30_000_000, 30_000_000, 54_962_497, 10_000_000], 91, "2017-11-29")
    first = series(rule, planned, [Outcome(20_898_000)])
    assert (first.auctions[0].unsold, first.waiting) == (4_398_369, 4_398_369)
    once = [Outcome(20_898_000), Outcome(30_000_000, above_floor=True)]
    assert series(rule, planned, once).auctions[2].offered == 30_000_000
    back = series(rule, planned, [*once, Outcome(30_000_000, above_floor=True)])
    assert (back.auctions[3].offered, back.waiting) == (54_962_497 + 4_398_369, 0)
    most = plan([40_000_000, 1, 1, 54_962_497], 91)
    high = series(rule, most, [Outcome(0), Outcome(1, True), Outcome(1, True)])
    assert high.auctions[3].added == 13_740_624 == int(reoffered(40_000_000, 54_962_497, 2, reoffer_after_auctions=2, reoffer_limit_share=D("0.25")))
    again = series(rule, [*planned], [*once, Outcome(30_000_000, True), Outcome(54_962_497 + 4_000_000)])
    assert (again.waiting, again.auctions[4].added) == (398_369, 0)


def test_what_waits_too_long_goes_to_the_reserve_also_when_it_was_offered_again() -> None:
    rule = UnsoldRule("reoffer", after_auctions=1, limit_share=Fraction(1), months=24)
    planned = [Planned(day, 100) for day in days("2016-02-17", "2016-05-18", "2018-02-17", "2018-02-18", "2018-05-16")]
    found = series(rule, planned, [Outcome(40), Outcome(100, True), Outcome(130), Outcome(100)])
    assert [auction.offered for auction in found.auctions] == [100, 100, 160, 100, 100]
    assert (found.to_reserve, found.waiting) == (30, 0), "30 of the 60 that came back were unsold again and had waited since 2016"
    assert bool(leaves_auctions("2016-02-17", "2018-02-18", unsold_months=24))
    assert not leaves_auctions("2016-02-17", "2018-02-17", unsold_months=24)
    assert months_later(date(2016, 2, 29), 24) == date(2018, 2, 28)
    assert months_later(date(2016, 11, 30), 3) == date(2017, 2, 28)
    assert months_later(date(2016, 12, 31), 12) == date(2017, 12, 31)


def test_the_oldest_units_come_back_first_also_a_second_time() -> None:
    rule = UnsoldRule("reoffer", after_auctions=1, limit_share=Fraction(1, 2), months=10)
    planned = [Planned(day, 20) for day in days("2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-11-20", "2020-12-20")]
    outcomes = [Outcome(10), Outcome(10), Outcome(20, True), Outcome(20, True), Outcome(30, True)]
    found = series(rule, planned, outcomes)
    assert [auction.added for auction in found.auctions] == [0, 0, 0, 10, 10, 10, 0]
    assert (found.to_reserve, found.waiting) == (0, 0), "January's came back in April and again in May; February's in November"


def test_gone_reserve_and_a_silent_law() -> None:
    planned = plan([100, 100])
    assert series(UnsoldRule("gone"), planned, [Outcome(30)]).gone == 70
    assert series(UnsoldRule("reserve"), planned, [Outcome(30)]).to_reserve == 70
    assert series(UnsoldRule(None), planned, [Outcome(30)]).waiting == 70
    assert series(UnsoldRule("gone"), [], []).auctions == ()


@pytest.mark.parametrize("goes", GOES)
def test_no_unit_is_lost_and_none_is_made(goes: str | None) -> None:
    random = Random(3)
    for _ in range(150):
        quantities = [random.randrange(0, 50) * 10 for _ in range(random.randrange(1, 9))]
        rule = UnsoldRule(goes, random.randrange(1, 5), random.choice([None, Fraction(5, 4)]), random.randrange(1, 3), Fraction(1, 4), 6, 10)
        planned, outcomes = plan(quantities, 45), []
        for _ in range(random.randrange(0, len(quantities) + 1)):
            ahead = series(rule, planned, outcomes).auctions[len(outcomes)].offered
            outcomes.append(Outcome(random.randrange(0, ahead + 1), random.random() < 0.6))
        found = series(rule, planned, outcomes)
        sold = sum(auction.sold for auction in found.auctions if auction.sold is not None)
        ahead = sum(auction.offered for auction in found.auctions if auction.sold is None)
        assert sum(quantities) == sold + ahead + found.waiting + found.to_reserve + found.gone + found.left_over
        assert all(auction.offered == auction.planned + auction.added for auction in found.auctions)


def test_rules_of_a_rulebooks_mapping_and_refusals() -> None:
    rule = UnsoldRule.of({"goes": "spread", "auctions": 4, "ceiling": D("1.25")})
    assert (rule.goes, rule.auctions, rule.ceiling) == ("spread", 4, Fraction(5, 4))
    assert UnsoldRule.of({"goes": None}).goes is None
    planned = plan([100, 100])
    for wrong, said in (
        (lambda: UnsoldRule("away"), "units do not go 'away'"),
        (lambda: UnsoldRule.of({"goto": "next"}), "goto: no word of it"),
        (lambda: UnsoldRule("spread", ceiling=Fraction(1, 2)), "a ceiling of 1/2"),
        (lambda: UnsoldRule("spread", auctions=0), "one or more"),
        (lambda: series(UnsoldRule(), planned, [Outcome(101)]), "101 sold on 2022-03-02 of 100 offered"),
        (lambda: series(UnsoldRule(), planned, [Outcome(1)] * 3), "no more outcomes than auctions"),
        (lambda: series(UnsoldRule(), planned[::-1], []), "in the order of their days"),
        (lambda: auction_dates(FORTNIGHT, 2026, is_business_day, "sideways"), "shift is 'sideways'"),
    ):
        with pytest.raises(CalendarError, match=said):
            wrong()
