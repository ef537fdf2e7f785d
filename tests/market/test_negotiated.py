"""Block trades, reports of deals, exchanges of futures: who may, at what price, when, and what it leaves untouched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tonne
from tonne.market.contract import Contract, PhaseHours
from tonne.market.listed import FIRST_TRADE, LAST_CLOSE, composite_price, day_summary, mean_price
from tonne.market.negotiated import (
    MINUTE,
    Agreed,
    Deal,
    DealLimits,
    Exchange,
    ExchangeRules,
    ExchangeTerms,
    Hours,
    Method,
    Party,
    PriceRange,
    Proposal,
    ProposalState,
    Published,
    Reason,
    Refused,
    Reported,
    ReportRules,
    Side,
    Terms,
    Trade,
    accept,
    decline,
    exchange,
    expire,
    price_range,
    propose,
    publication,
    report,
    withdraw,
)
from tonne.rules.trading.thin_day_close import close_price as thin_close
from tonne.units import UP

DAY = date(2022, 12, 28)


def at(text, offset=8, day=DAY):
    """A moment of the day in a zone so many hours east of Greenwich, in microseconds."""
    clock = datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=UTC)
    return round((clock.timestamp() - offset * 3600) * 1_000_000)


def reason(answer):
    assert isinstance(answer, Refused), answer
    assert answer.text and not answer.text[0].isupper() and not answer.text.endswith("."), answer.text
    return answer.reason.value


# hours and limits


@pytest.mark.parametrize(("clock", "holds"), [("12:59:59.999999", False), ("13:00", True), ("14:59:59.999999", True), ("15:00", False)])
def test_hours_have_their_first_moment_and_not_their_last(clock, holds):
    assert Hours.of("09:30-11:30, 13:00-15:00", "Asia/Shanghai").holds(at(clock)) is holds


def test_hours_past_midnight_and_round_the_clock():
    night = Hours.of("19:50-18:00", "America/New_York")
    assert [night.holds(at(clock, -5)) for clock in ("17:59", "18:00", "19:49", "19:50", "23:59", "00:00")] == [True, False, False, True, True, True]
    assert Hours.of("00:00-24:00", "UTC").holds(at("23:59:59", 0))


def test_hours_follow_summer_time():
    hours = Hours.of("07:00-17:00", "Europe/London")
    assert not hours.holds(at("06:30", 0, date(2026, 1, 15))) and hours.holds(at("06:30", 0, date(2026, 7, 15)))


def test_hours_of_a_contract():
    contract = Contract(id="x", venue="v", kind="spot", unit="u", lot=1, tick=Decimal("0.01"), currency="CNY", timezone="Asia/Shanghai",
                        phases=(PhaseHours("continuous", "09:30", "11:30"), PhaseHours("block", "13:00", "15:00")))  # fmt: skip
    hours = Hours.of_contract(contract, "block")
    assert hours is not None and hours.holds(at("13:00")) and not hours.holds(at("10:00")) and str(hours) == "13:00-15:00 Asia/Shanghai"
    assert Hours.of_contract(contract, "negotiated") is None


@pytest.mark.parametrize(
    ("reference", "share", "low", "high"),
    [(5000, "0.10", 4500, 5500), (5501, "0.30", 3851, 7151), (5501, "0.10", 4951, 6051), (3, "0.10", 3, 3), (10, "0", 10, 10)],
)
def test_a_range_is_rounded_inward(reference, share, low, high):
    assert price_range(reference, Decimal(share)) == PriceRange(low, high)
    assert all(price not in price_range(reference, Decimal(share)) for price in (low - 1, high + 1))


def test_no_share_is_no_limit():
    assert 10**9 in price_range(1, None) and 0 in PriceRange()


@given(st.integers(1, 10**7), st.sampled_from(["listed", "block"]))
def test_ranges_are_those_of_the_law(reference, method):
    """rules/trading works out the same band from the law's own share, in money."""
    share = {"listed": Decimal("0.10"), "block": Decimal("0.30")}
    from tonne.rules.trading.order_limits import price_range as band

    law = band(Decimal(f"{reference}e-2"), method, price_limit=share)
    ours = price_range(reference, share[method])
    assert (ours.low, ours.high) == (int(law["low"] * 100), int(law["high"] * 100))


# block trades


CHINA = tonne.rulebook("china-national-ets").at(str(DAY))
BLOCK = DealLimits(
    min_lots=CHINA.value("trading.block_from"),
    price_limit_share=CHINA.table("trading.price_limit")["block"],
    hours=Hours.of("13:00-15:00", "Asia/Shanghai"),
)
LISTED_BAND = CHINA.table("trading.price_limit")["listed"]
CLOSE = 5501
"""A close from which the day's lowest block trade, 42.96, lies inside 30 % and outside 10 %."""


def offer(**changes):
    terms = Terms("cea", changes.pop("ticks", 4296), changes.pop("lots", 100_000))
    plain = {"reference": "b1", "proposer": 1, "counterparty": 2, "side": Side.SELL, "terms": terms, "day": DAY, "time": at("13:10")}
    return Proposal(**{**plain, **changes})


def agree(proposal, **changes):
    said = {"by": 2, "side": Side.BUY, "terms": proposal.terms, "day": DAY, "time": at("13:20"), "reference_ticks": CLOSE}
    return accept(BLOCK, proposal, **{**said, **changes})


def test_a_block_trade_in_two_steps():
    """The low of 2022-12-28, 42.96, was a block trade; a listed order at it would be outside its 10 %."""
    proposal = propose(BLOCK, offer(), CLOSE)
    assert isinstance(proposal, Proposal) and proposal.state is ProposalState.OPEN
    done = agree(proposal)
    assert isinstance(done, Agreed) and done.proposal.state is ProposalState.ACCEPTED
    assert done.trade == Trade(2, 1, "cea", 4296, 100_000, DAY, at("13:20"), Method.BLOCK, "b1")
    assert 4296 not in price_range(CLOSE, LISTED_BAND)
    assert reason(agree(done.proposal)) == "not_open", "what is done is not done twice"


def test_who_proposes_to_buy_is_the_buyer():
    done = agree(propose(BLOCK, offer(side=Side.BUY), CLOSE), side=Side.SELL)
    assert (done.trade.buyer, done.trade.seller) == (1, 2)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"counterparty": 1, "lots": 0}, "own_account"), ({"lots": 0}, "bad_quantity"), ({"lots": 99_999, "ticks": 1}, "below_minimum"),
        ({"time": at("11:00"), "ticks": 1}, "outside_session"), ({"time": at("15:00")}, "outside_session"), ({"ticks": 0}, "bad_price"),
        ({"ticks": 3850}, "price_limit"), ({"ticks": 7152}, "price_limit"), ({"expires": at("13:10")}, "bad_window"),
    ],
)  # fmt: skip
def test_proposals_that_are_refused(changes, named):
    assert reason(propose(BLOCK, offer(**changes), CLOSE)) == named


def test_limits_at_the_edges():
    for changes in ({"ticks": 3851}, {"ticks": 7151}, {"lots": 100_000}):
        assert isinstance(propose(BLOCK, offer(**changes), CLOSE), Proposal)
    assert reason(propose(BLOCK, offer(), None)) == "no_reference_price"
    assert reason(propose(replace(BLOCK, max_lots=100_000), offer(lots=100_001), CLOSE)) == "above_maximum"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"time": at("13:09")}, "clock_backwards"), ({"by": 1}, "not_a_party"), ({"by": 3}, "not_a_party"), ({"day": date(2022, 12, 29)}, "expired"),
        ({"terms": Terms("cea", 4297, 100_000)}, "terms_differ"), ({"terms": Terms("cea", 4296, 100_001)}, "terms_differ"),
        ({"terms": Terms("ccer", 4296, 100_000)}, "terms_differ"), ({"side": Side.SELL}, "terms_differ"),
        ({"time": at("15:00")}, "outside_session"), ({"reference_ticks": 3000}, "price_limit"),
    ],
)  # fmt: skip
def test_answers_that_are_refused(changes, named):
    assert reason(agree(offer(), **changes)) == named


def test_a_proposal_is_declined_withdrawn_or_lapses():
    proposal = offer(expires=at("13:30"))
    assert decline(proposal, 2, at("13:15")).state is ProposalState.DECLINED and reason(decline(proposal, 1, at("13:15"))) == "not_a_party"
    assert withdraw(proposal, 1, at("13:15")).state is ProposalState.WITHDRAWN and reason(withdraw(proposal, 2, at("13:15"))) == "not_a_party"
    assert expire(proposal, DAY, at("13:29")) == proposal and expire(proposal, DAY, at("13:30")).state is ProposalState.EXPIRED
    assert isinstance(agree(proposal, time=at("13:29:59")), Agreed) and reason(agree(proposal, time=at("13:30"))) == "expired"
    gone = withdraw(proposal, 1, at("13:15"))
    assert expire(gone, DAY, at("14:00")) is gone
    for answer in (agree(gone), decline(gone, 2, at("13:20")), withdraw(gone, 1, at("13:20"))):
        assert reason(answer) == "not_open"
    assert expire(offer(), date(2022, 12, 29), at("13:10")).state is ProposalState.EXPIRED, "no proposal outlives its day"


# the listed day, with block trades apart


def test_a_published_day():
    """2022-12-28: 21,787 t listed for 1,217,935 and 1,260,200 t in blocks for 68,391,200: means 55.90, 54.27, all 54.30 (world's figures)."""
    listed, block = mean_price(121_793_500, 21_787), mean_price(6_839_120_000, 1_260_200)
    assert (listed, block, mean_price(121_793_500 + 6_839_120_000, 21_787 + 1_260_200)) == (5590, 5427, 5430)
    law = CHINA.day_total(21_787, "1217935", 1_260_200, "68391200")
    assert (law["listed_mean"], law["block_mean"], law["mean"]) == (Decimal("55.90"), Decimal("54.27"), Decimal("54.30"))


def test_blocks_do_not_move_the_close_nor_the_range():
    day = day_summary([4296, 5590, 5650, 5540, 7000], [100_000, 10, 20, 30, 200_000], [False, True, True, True, False], CLOSE)
    assert (day.open, day.high, day.low, day.close) == (5590, 5650, 5540, 5585)
    assert (day.volume, day.value, day.trades) == (60, 335_100, 3)
    assert (day.block_high, day.block_low, day.block_volume, day.block_trades) == (7000, 4296, 300_000, 2)
    assert day.total_volume == 300_060 and day.mean() == mean_price(day.total_value, 300_060)


def test_a_day_without_listed_trades_keeps_the_last_close():
    for day in (day_summary([], [], [], CLOSE), day_summary([4296], [100_000], [False], CLOSE)):
        assert (day.open, day.high, day.low, day.close, day.volume) == (CLOSE, None, None, CLOSE, 0)
    assert day_summary([], [], [], None).close is None and day_summary([], [], [], CLOSE).mean() is None


prices, sizes = st.integers(1, 10**7), st.integers(1, 10**6)


@given(st.lists(st.tuples(prices, sizes, st.booleans()), max_size=30), st.integers(1, 10**7))
def test_closes_are_those_of_the_law(trades, last):
    ticks, lots, listed = (list(column) for column in zip(*trades, strict=True)) if trades else ([], [], [])
    day = day_summary(ticks, lots, listed, last)
    value = sum(t * q for t, q, book in trades if book)
    volume = sum(q for _, q, book in trades if book)
    assert (day.value, day.volume) == (value, volume)
    law = CHINA.close_price(Decimal(f"{value}e-2"), volume, Decimal(f"{last}e-2"))
    assert Decimal(f"{day.close}e-2") == law
    few = day_summary(ticks, lots, listed, last, few_lots=1000, opening=LAST_CLOSE)
    assert Decimal(f"{few.close}e-2") == thin_close(Decimal(f"{value}e-2"), volume, Decimal(f"{last}e-2"), thin_day_volume=1000)
    assert few.open == last


def test_the_mean_is_rounded_once_by_name():
    assert [mean_price(5, 2), mean_price(5, 2, 1, UP), mean_price(4, 3), mean_price(0, 0)] == [3, 3, 1, None]
    assert day_summary([10, 11], [1, 1], [True, True], 5, tick_value=1000).close == 11, "10.5, away from zero"


def test_sums_beyond_64_bits_are_exact():
    day = day_summary(np.full(3, 2**40), np.full(3, 2**40), [True] * 3, 1)
    assert day.value == 3 * 2**80 and day.close == 2**40


def test_one_price_over_all_vintages():
    days = [day_summary([5000], [30], [True], 1), day_summary([6000, 9999], [10, 1000], [True, False], 1), day_summary([], [], [], 7000)]
    assert composite_price(days) == 5250 and composite_price(days[2:]) is None
    with pytest.raises(ValueError, match="one tick and lot"):
        composite_price([days[0], day_summary([1], [1], [True], 1, tick_value=10)])


def test_columns_that_do_not_fit():
    with pytest.raises(ValueError, match="one length"):
        day_summary([1, 2], [1], [True, True], 1)
    with pytest.raises(ValueError, match="row 1 has no quantity"):
        day_summary([1, 2], [1, 0], [True, True], 1)
    with pytest.raises(ValueError, match=f"there are {FIRST_TRADE}"):
        day_summary([1], [1], [True], 1, opening="x")


# reports of deals made over the counter: the Korean exchange's negotiated trades


KOREA = ReportRules(
    DealLimits(1_000, 1_000_000, tonne.rulebook("k-ets").at(str(DAY)).value("trading.price_limit"), Hours.of("10:00-11:30", "Asia/Seoul")),
    within=60 * MINUTE,
    one_member_each_side=True,
    value_after_close=True,
)
BASE = 20_000


def deal(lots=1_000, ticks=20_000, made="10:00", buyers=None, sellers=None, reference="d1"):
    return Deal(reference, "kau", ticks, at(made, 9), buyers or (Party(1, 11, lots),), sellers or (Party(2, 21, lots),))


def tell(what, clock="10:30", rules=KOREA, **more):
    return report(rules, what, DAY, at(clock, 9), BASE, **more)


def test_a_report_is_a_trade():
    told = tell(deal())
    assert isinstance(told, Reported) and told.corrects is None
    assert told.trades == (Trade(11, 21, "kau", 20_000, 1_000, DAY, at("10:30", 9), Method.OVER_THE_COUNTER, "d1"),)


@pytest.mark.parametrize(
    ("what", "clock", "named"),
    [
        (deal(lots=999), "10:30", "below_minimum"), (deal(lots=1_000_001), "10:30", "above_maximum"), (deal(ticks=22_001), "10:30", "price_limit"),
        (deal(ticks=17_999), "10:30", "price_limit"), (deal(), "11:01", "reported_late"), (deal(made="10:45"), "11:30", "outside_session"),
        (deal(made="09:30"), "09:59", "outside_session"), (deal(made="10:31"), "10:30", "clock_backwards"), (deal(ticks=0), "10:30", "bad_price"),
        (deal(sellers=(Party(2, 21, 999),)), "10:30", "sides_differ"), (deal(sellers=(Party(2, 21, 0),)), "10:30", "bad_quantity"),
        (deal(sellers=(Party(2, 21, 500), Party(3, 31, 500))), "10:30", "one_member_each_side"),
        (deal(sellers=(Party(2, 11, 1_000),)), "10:30", "own_account"),
    ],
)  # fmt: skip
def test_reports_that_are_refused(what, clock, named):
    assert reason(tell(what, clock)) == named


def test_reports_at_the_edges():
    for what, clock in (
        (deal(), "11:00"),
        (deal(lots=1_000_000), "10:30"),
        (deal(ticks=22_000), "10:30"),
        (deal(ticks=18_000), "10:30"),
        (deal(), "10:00"),
    ):
        assert isinstance(tell(what, clock), Reported)
    assert isinstance(tell(deal(made="09:20"), "10:20"), Reported), "the hours are those of the report"


def test_a_report_is_final():
    known = {"d1": deal()}
    assert reason(tell(deal(), known=known)) == "already_reported"
    assert reason(tell(deal(ticks=20_100), known=known)) == "correction_not_allowed"
    corrected = tell(deal(ticks=20_100), rules=replace(KOREA, correction=True), known=known)
    assert isinstance(corrected, Reported) and corrected.corrects == deal()
    assert isinstance(tell(deal(reference="d2"), known=known), Reported)


def test_volume_at_once_and_value_after_the_close():
    told = tell(deal())
    assert publication(KOREA, told, closed=False) == Published("kau", 1_000, at("10:30", 9), None, None)
    assert publication(KOREA, told, closed=True) == Published("kau", 1_000, at("10:30", 9), 20_000, 20_000_000)
    assert publication(replace(KOREA, value_after_close=False), told, closed=False).value == 20_000_000


def test_several_accounts_of_one_member_meet_in_order():
    many = deal(buyers=(Party(1, 11, 700), Party(1, 12, 300)), sellers=(Party(2, 21, 600), Party(2, 22, 400)))
    assert [(t.buyer, t.seller, t.lots) for t in tell(many).trades] == [(11, 21, 600), (11, 22, 100), (12, 22, 300)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.data())
def test_the_trades_of_a_report_add_up_on_both_sides(bought, data):
    total = sum(bought)
    cuts = sorted(data.draw(st.sets(st.integers(1, total - 1), max_size=5))) if total > 1 else []
    sold = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
    what = deal(buyers=tuple(Party(1, k, q) for k, q in enumerate(bought)), sellers=tuple(Party(2, 100 + k, q) for k, q in enumerate(sold)))
    told = report(ReportRules(DealLimits()), what, DAY, at("10:30", 9), None)
    for side, parties in (("buyer", what.buyers), ("seller", what.sellers)):
        assert [sum(t.lots for t in told.trades if getattr(t, side) == p.account) for p in parties] == [p.lots for p in parties]
    assert len(told.trades) <= len(bought) + len(sold) - 1


# futures exchanged


FUTURES = ExchangeRules(DealLimits(min_lots=50), units_per_lot=1_000)
TERMS = ExchangeTerms("e1", futures_buyer=1, futures_seller=2, future="dec", ticks=8_360, lots=50, physical="eua", units=50_000, amount=415_000_000)


def trade_both(buyer=TERMS, seller=TERMS, rules=FUTURES, **more):
    return exchange(rules, buyer, seller, DAY, at("10:00", 0), None, **more)


def test_futures_against_units():
    """Who buys the futures gives the units and gets their price."""
    done = trade_both(units_available=50_000, money_available=415_000_000)
    assert isinstance(done, Exchange)
    assert done.future == Trade(1, 2, "dec", 8_360, 50, DAY, at("10:00", 0), Method.EXCHANGE_FOR_PHYSICAL, "e1")
    assert (done.other.giver, done.other.taker, done.other.units, done.other.amount, done.other.moves) == (1, 2, 50_000, 415_000_000, True)


def test_futures_against_a_swap_move_no_units():
    done = trade_both(rules=replace(FUTURES, method=Method.EXCHANGE_FOR_SWAP), units_available=0, money_available=0)
    assert done.future.method is Method.EXCHANGE_FOR_SWAP and not done.other.moves


@pytest.mark.parametrize(
    ("changes", "more", "named"),
    [
        ({"lots": 49, "units": 49_000}, {}, "below_minimum"), ({"futures_seller": 1}, {}, "own_account"), ({"ticks": 0}, {}, "bad_price"),
        ({"units": 0}, {}, "bad_quantity"), ({"amount": -1}, {}, "bad_quantity"), ({"units": 49_999}, {}, "quantities_differ"),
        ({}, {"units_available": 49_999}, "not_covered"), ({}, {"money_available": 414_999_999}, "not_covered"),
    ],
)  # fmt: skip
def test_exchanges_that_are_refused_leave_no_leg(changes, more, named):
    terms = replace(TERMS, **changes)
    assert reason(trade_both(terms, terms, **more)) == named


def test_both_sides_say_the_same():
    assert reason(trade_both(seller=replace(TERMS, amount=1))) == "terms_differ"


def test_a_tolerance_of_the_quantity():
    rules = replace(FUTURES, tolerance=Decimal("0.02"))
    for units, fits in ((49_000, True), (51_000, True), (48_999, False), (51_001, False)):
        terms = replace(TERMS, units=units)
        assert isinstance(trade_both(terms, terms, rules=rules), Exchange) is fits


def test_every_reason_has_a_plain_name():
    assert all(one.value == one.name.lower() for one in Reason)
