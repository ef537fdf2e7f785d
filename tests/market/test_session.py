"""The day's plan: when a phase begins, what is allowed, how a volatility call ends, the ban on cancelling before a call ends."""

from __future__ import annotations

import pytest

from tonne.market.order_book import OrderBook
from tonne.market.orders import Happening, InstrumentRules, Phase, Reason, Side, Verb
from tonne.market.session import SessionError, SessionPlan, Stage, clock, minutes

ROWS = [
    {"phase": "opening_call", "from": "09:00"},
    {"phase": "continuous", "from": "10:00"},
    {"phase": "closing_call", "from": "11:50", "cancel_ban": 1},
    {"phase": "closed", "from": "12:00"},
]
PLAN = SessionPlan.of(ROWS)


def test_times_of_day_read_and_write():
    for text, minute in (("09:30", 570), ("24:30", 1470), ("-04:10", -250), ("00:00", 0)):
        assert minutes(text) == minute
        assert clock(minute) == text


@pytest.mark.parametrize("text", ["9", "25", "09:60", "9h30", "", "09:5", "49:00", "--1:00"])
def test_what_is_no_time_of_day(text):
    with pytest.raises(SessionError, match="time of day"):
        minutes(text)


@pytest.mark.parametrize(
    ("time", "phase"),
    [("08:59", Phase.CLOSED), ("09:00", Phase.OPENING_CALL), ("09:59", Phase.OPENING_CALL), ("10:00", Phase.CONTINUOUS), ("12:00", Phase.CLOSED)],
)
def test_the_phase_of_a_minute(time, phase):
    assert PLAN.phase(minutes(time)) == phase


def test_what_begins_between_two_minutes():
    assert PLAN.changes(minutes("09:00"), minutes("11:50")) == (Stage(600, Phase.CONTINUOUS), Stage(710, Phase.CLOSING_CALL, 1))
    assert PLAN.changes(600, 600) == ()


def test_no_cancelling_in_the_last_minute_of_the_closing_call():
    """No cancel or correction in the last minute before the closing call is struck (facts/trading.yaml); entering goes on."""
    for time, banned in (("11:58", False), ("11:59", True), ("12:00", False), ("09:59", False)):
        assert PLAN.bans_cancelling(minutes(time)) == banned
        for verb in (Verb.CANCEL, Verb.MASS_CANCEL):
            assert (PLAN.refusal(verb, minutes(time)) == Reason.OUTSIDE_SESSION) == banned
    assert PLAN.refusal(Verb.AMEND, minutes("11:59")) == Reason.OUTSIDE_SESSION
    assert PLAN.refusal(Verb.NEW, minutes("11:59")) == Reason.NONE
    assert PLAN.refusal(Verb.KILL, minutes("11:59")) == Reason.NONE


def test_what_is_allowed_when():
    assert PLAN.refusal(Verb.NEW, minutes("08:00")) == Reason.OUTSIDE_SESSION
    assert PLAN.refusal(Verb.CANCEL, minutes("08:00")) == Reason.NONE
    assert PLAN.refusal(Verb.TAKE, minutes("09:30")) == Reason.OUTSIDE_SESSION
    assert PLAN.refusal(Verb.TAKE, minutes("10:30")) == Reason.NONE
    assert PLAN.refusal(Verb.NEW, minutes("10:30"), Phase.HALT) == Reason.OUTSIDE_SESSION


def test_a_volatility_call_ends_after_its_minutes_or_with_the_plan():
    assert PLAN.call_ends(minutes("10:30")) == (minutes("10:35"), Phase.CONTINUOUS)
    assert PLAN.call_ends(minutes("11:48")) == (minutes("11:50"), Phase.CLOSING_CALL)


def test_the_plan_and_the_book_go_through_a_day_together():
    book = OrderBook([InstrumentRules(phase=PLAN.phase(0))])
    assert book.limit(1, 1, Side.BUY, 5, 100)["reason"][0] == Reason.OUTSIDE_SESSION
    number, traded = 0, 0
    before = 0
    for minute in range(0, minutes("12:30"), 10):
        for stage in PLAN.changes(before, minute):
            traded += int((book.begin_phase(stage.phase)["happening"] == Happening.TRADE).sum())
        before = minute
        assert book.phase() == PLAN.phase(minute)
        for side in Side:
            if PLAN.refusal(Verb.NEW, minute) == Reason.NONE:
                number += 1
                rows = book.limit(number, number, side, 1, 100)
                assert rows["happening"][0] == Happening.ACCEPTED
                traded += int((rows["happening"] == Happening.TRADE).sum())
    assert traded == number // 2 > 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "without a stage"),
        ([{"phase": "continuous", "from": "10:00"}], "end it with a stage of phase closed"),
        ([{"phase": "continuous", "from": "10:00"}, {"phase": "closed", "from": "10:00"}], "put stages in order"),
        ([{"phase": "opening_call", "from": "10:00", "cancel_ban": 11}, {"phase": "closed", "from": "10:10"}], "shorter than that"),
        ([{"phase": "continuous", "from": "10:00", "cancel_ban": 1}, {"phase": "closed", "from": "11:00"}], "collects orders"),
        ([{"phase": "volatility_call", "from": "10:00"}, {"phase": "closed", "from": "11:00"}], "not planned"),
        ([{"phase": "lunch", "from": "10:00"}], "there are pre_open, opening_call"),
        ([{"phase": "continuous", "from": "10:00", "until": "11:00"}], "it takes phase, from"),
        ([{"phase": "continuous"}], "it takes phase, from"),
    ],
)
def test_a_plan_that_cannot_be(rows, says):
    with pytest.raises(SessionError, match=says):
        SessionPlan.of(rows)


def test_a_volatility_call_lasts():
    with pytest.raises(SessionError, match="at least one"):
        SessionPlan.of(ROWS, volatility_minutes=0)
