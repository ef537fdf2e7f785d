"""Last trading days: against every date that was published, and the properties that all rules share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.market.contract import Contract, ContractError, Instrument
from tonne.market.expiry import Calendar, deliverable_vintages, instruments, last_trading_day, listed, of_month, of_year, strikes_around

MONDAYS = {"rule": "last_weekday_before_holidays", "weekday": "monday", "clear_days": 4}
BEFORE_LAST = {"rule": "business_days_before_last_business_day", "count": 3, "closed_last_weekday": [12]}
FUTURE = Contract(
    id="f", venue="v", kind="future", unit="EUA", lot=1000, tick=Decimal("0.01"), currency="EUR", holidays="GB-ENG", expiry=MONDAYS, settlement_lag=3
)
OPTION = Contract(
    id="o", venue="v", kind="option", unit="EUA", lot=1000, tick=Decimal("0.01"), currency="EUR", holidays="GB-ENG", premium="paid",
    style="european", underlying="f", expiry={"rule": "trading_days_before_future", "count": 3}, deliverable={"month": 12},
    series=({"months": [3, 12], "count": 2},), strikes={"each_side": 2, "step": Decimal("0.5")},
)  # fmt: skip

#: ICE Futures U.S., expiry details of the California Carbon Allowance Specific Vintage 2028 Future: last trading day, last delivery day.
PUBLISHED = {
    "2025-12": ("2025-12-24", "2025-12-30"), "2026-01": ("2026-01-27", "2026-01-30"), "2026-02": ("2026-02-24", "2026-02-27"),
    "2026-03": ("2026-03-26", "2026-03-31"), "2026-06": ("2026-06-25", "2026-06-30"), "2026-09": ("2026-09-25", "2026-09-30"),
    "2026-12": ("2026-12-24", "2026-12-30"), "2027-03": ("2027-03-25", "2027-03-31"), "2027-06": ("2027-06-25", "2027-06-30"),
    "2027-09": ("2027-09-27", "2027-09-30"), "2027-12": ("2027-12-27", "2027-12-30"), "2028-03": ("2028-03-28", "2028-03-31"),
    "2028-06": ("2028-06-27", "2028-06-30"), "2028-09": ("2028-09-26", "2028-09-29"), "2028-12": ("2028-12-22", "2028-12-28"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("year", "day"), [(2023, "2023-12-18"), (2024, "2024-12-16"), (2025, "2025-12-15"), (2026, "2026-12-14"), (2027, "2027-12-20")]
)
def test_the_december_future_ends_in_a_week_without_holidays(year: int, day: str) -> None:
    """2024 as it really was (carbon-pulse.com/352450); the others by the same iteration."""
    assert last_trading_day(MONDAYS, year, 12, "GB-ENG") == date.fromisoformat(day)


def test_one_step_would_not_be_enough() -> None:
    """The text taken literally, the last Monday but one, is 23 December 2024, in the week of Christmas."""
    assert any(Calendar("GB-ENG").is_holiday(date(2024, 12, 23) + timedelta(days=n)) for n in range(5))
    assert last_trading_day(MONDAYS | {"clear_days": 0}, 2024, 12, "GB-ENG") == date(2024, 12, 30)


@pytest.mark.parametrize("month", PUBLISHED)
def test_every_published_last_trading_and_delivery_day(month: str) -> None:
    contract = replace(FUTURE, holidays="XNYS", expiry=BEFORE_LAST)
    found = of_month(contract, int(month[:4]), int(month[5:]))
    assert (str(found.expiry), str(found.delivery)) == PUBLISHED[month]


def test_the_calendar_matters() -> None:
    """Good Friday is no federal holiday, but the venue is closed: with the wrong calendar March 2027 is a day late."""
    assert last_trading_day(BEFORE_LAST, 2027, 3, "US") == date(2027, 3, 26)
    assert last_trading_day(BEFORE_LAST, 2027, 3, "XNYS") == date(2027, 3, 25)


def test_the_last_weekday_of_december_is_no_business_day() -> None:
    assert last_trading_day(BEFORE_LAST, 2027, 12, "XNYS") == date(2027, 12, 27)
    assert last_trading_day({"rule": BEFORE_LAST["rule"], "count": 3}, 2027, 12, "XNYS") == date(2027, 12, 28)


def test_a_day_of_the_month_and_its_neighbours() -> None:
    after = {"rule": "day_of_month_or_next_business_day", "day": 15}
    assert last_trading_day(after, 2026, 7, "XNYS") == date(2026, 7, 15)
    assert last_trading_day(after, 2026, 8, "XNYS") == date(2026, 8, 17)
    before = {"rule": "day_of_month_or_previous", "day": 10}
    assert last_trading_day(before, 2009, 5) == date(2009, 5, 8)
    assert last_trading_day(before, 2009, 5, "IN") == date(2009, 5, 7), "the 8th is a holiday in India"
    assert last_trading_day(before, 2009, 6, "IN") == date(2009, 6, 10)


def test_an_option_ends_before_its_future() -> None:
    assert of_month(OPTION, 2026, 12, FUTURE).expiry == date(2026, 12, 9)
    with pytest.raises(ContractError, match="give the contract that the option is exercised into"):
        of_month(OPTION, 2026, 12)


def test_days_named_by_notices() -> None:
    rule = {"rule": "fixed", "days": {"2023-11": date(2023, 11, 24)}}
    assert last_trading_day(rule, 2023, 11) == date(2023, 11, 24)
    with pytest.raises(ContractError, match="no day is known for 2024-02; there are 2023-11"):
        last_trading_day(rule, 2024, 2)
    assert [one.name for one in of_year(replace(FUTURE, expiry=rule), 2023)] == ["2023-11"]


@pytest.mark.parametrize(
    ("rule", "holidays", "words"),
    [
        ({"rule": "third_friday"}, None, "'third_friday' is no rule of expiry"),
        ({"rule": "day_of_month_or_previous"}, None, "lacks day"),
        (MONDAYS | {"iterate": True}, None, "does not know iterate"),
        ({"rule": "same_day"}, None, "has no month"),
        ({"rule": "day_of_month_or_previous", "day": 10**9}, None, "day is a whole number up to 250"),
        ({"rule": "day_of_month_or_previous", "day": 32}, None, "day is out of range"),
        (BEFORE_LAST | {"count": -1}, None, "count is a whole number"),
        (BEFORE_LAST | {"closed_last_weekday": 12}, None, "are months, as"),
        (MONDAYS | {"weekday": "sunday"}, None, "'sunday' is no weekday"),
        ({"rule": "fixed", "days": "soon"}, None, "days are by month"),
        (MONDAYS, "XX", "no public holidays are known"),
        (MONDAYS, "NOWHERE", "no calendar 'NOWHERE'"),
    ],
)
def test_rules_that_cannot_be_followed(rule: dict[str, Any], holidays: str | None, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        last_trading_day(rule, 2026, 12, holidays)


@settings(max_examples=60, deadline=None)
@given(
    year=st.integers(2010, 2035),
    month=st.integers(1, 12),
    rule=st.sampled_from([MONDAYS, BEFORE_LAST, {"rule": "day_of_month_or_next_business_day", "day": 15}]),
    holidays=st.sampled_from([None, "GB-ENG", "XNYS", "KR"]),
)
def test_a_last_trading_day_is_a_business_day_not_after_the_month(year: int, month: int, rule: dict[str, Any], holidays: str | None) -> None:
    found = last_trading_day(rule, year, month, holidays)
    assert Calendar(holidays).is_open(found)
    assert found < date(year + month // 12, month % 12 + 1, 1)
    delivery = of_month(replace(FUTURE, expiry=rule, holidays=holidays), year, month).delivery
    assert delivery is not None and delivery >= found + timedelta(days=3) and Calendar(holidays).is_open(delivery)


# -- what is listed


def test_the_series_of_a_day() -> None:
    contract = replace(
        FUTURE,
        series=(
            {"months": [12], "count": 3, "until": "2028-12"}, {"months": [3, 6, 9, 12], "count": 5}, {"months": [8], "count": 1},
            {"months": "all", "count": 2},
        ),
    )  # fmt: skip
    names = [one.name for one in listed(contract, date(2026, 11, 20))]
    assert names == ["2026-11", "2026-12", "2027-03", "2027-06", "2027-08", "2027-09", "2027-12", "2028-12"]
    assert next(one.name for one in listed(contract, date(2026, 12, 14))) == "2026-12"
    assert next(one.name for one in listed(contract, date(2026, 12, 15))) == "2027-01", "the day after its last a month is gone"


def test_years_ahead_end_with_december() -> None:
    contract = replace(FUTURE, series=({"months": "all", "years_ahead": 1},))
    names = [one.name for one in listed(contract, date(2026, 11, 20))]
    assert names[0] == "2026-11" and names[-1] == "2027-12" and len(names) == 14


def test_a_daily_contract_lists_days() -> None:
    daily = replace(FUTURE, kind="daily_future", expiry={"rule": "same_day"}, settlement_lag=2, series=({"days": 2},))
    found = instruments(daily, date(2026, 12, 24))
    assert [one.code for one in found] == ["f:2026-12-24", "f:2026-12-29"], "Christmas and the substitute day of Boxing Day lie between"
    assert [one.delivery for one in found] == [date(2026, 12, 30), date(2026, 12, 31)]


def test_how_many_are_listed_may_not_be_known() -> None:
    for series in ((), ({"months": [3, 12]},)):
        with pytest.raises(ContractError, match="how many expiries are listed is not known"):
            instruments(replace(FUTURE, series=series), date(2026, 11, 20))
    months = replace(FUTURE, series=({"months": [3, 12]},))
    assert [one.name for one in of_year(months, 2027)] == ["2027-03", "2027-12"]
    assert [one.code for one in instruments(months, date(2026, 11, 20), series=of_year(months, 2027))] == ["f:2027-03", "f:2027-12"]


def test_options_by_strike_and_right() -> None:
    found = instruments(OPTION, date(2026, 11, 20), underlying=FUTURE, around="71.30")
    assert len(found) == 2 * 5 * 2
    first = found[0]
    assert (first.code, first.expiry, first.right, first.underlying) == ("o:2026-12:call:70.0", date(2026, 12, 9), "call", "f:2026-12")
    assert first.strike_ticks == 7000
    assert {one.underlying for one in found if one.code.startswith("o:2027-03")} == {"f:2027-12"}, "a March option is exercised into December"
    named = instruments(OPTION, date(2026, 11, 20), underlying=FUTURE, strikes=["80"])
    assert [one.code for one in named] == ["o:2026-12:call:80", "o:2026-12:put:80", "o:2027-03:call:80", "o:2027-03:put:80"]


def test_strikes_need_a_price_and_a_rule() -> None:
    assert strikes_around(OPTION, "0.7") == [Decimal("0.5"), Decimal("1.0"), Decimal("1.5")]
    with pytest.raises(ContractError, match="a price to set them about"):
        strikes_around(OPTION, None)
    with pytest.raises(ContractError, match="its rule for them is not known"):
        strikes_around(replace(OPTION, strikes={"count": 109}), "70")


def test_a_contract_by_vintage_is_listed_for_the_vintages_asked() -> None:
    contract = replace(FUTURE, deliverable={"by": "vintage", "vintages": "named_or_earlier"}, series=({"months": [12], "count": 1},))
    assert [one.code for one in instruments(contract, date(2026, 11, 20))] == ["f:v2026:2026-12"]
    assert [one.code for one in instruments(contract, date(2026, 11, 20), vintages=[2025, 2028])] == ["f:v2025:2026-12", "f:v2028:2026-12"]


def test_spot_is_one_instrument_and_an_unknown_rule_is_told() -> None:
    assert [one.code for one in instruments(replace(FUTURE, kind="spot", expiry=None), date(2026, 11, 20))] == ["f"]
    with pytest.raises(ContractError, match="its rule of expiry is not known"):
        of_year(replace(FUTURE, expiry=None), 2026)


# -- what may be delivered


def one_of(deliverable: dict[str, Any], vintage: int | None = None) -> Instrument:
    return Instrument("x", replace(FUTURE, deliverable=deliverable), vintage=vintage)


def test_vintages_that_may_be_delivered() -> None:
    day = date(2026, 12, 30)
    assert deliverable_vintages(one_of({}), day) == (None, None)
    assert deliverable_vintages(one_of({"vintages": "named"}, 2024), day) == (2024, 2024)
    assert deliverable_vintages(one_of({"vintages": "named_or_earlier"}, 2024), day) == (None, 2024)
    assert deliverable_vintages(one_of({"vintages": "control_period_or_earlier"}, 2024), day, period_ends=2026) == (None, 2026)


def test_vintages_by_window() -> None:
    windows = [
        {"until": date(2022, 6, 30), "vintages": [2016, 2020]},
        {"from": date(2022, 7, 1), "until": date(2023, 6, 30), "vintages": [2016, 2022]},
    ]
    nature = one_of({"windows": windows})
    assert deliverable_vintages(nature, date(2022, 6, 30)) == (2016, 2020)
    assert deliverable_vintages(nature, date(2022, 7, 1)) == (2016, 2022)
    with pytest.raises(ContractError, match="2023-07-01 is not known"):
        deliverable_vintages(nature, date(2023, 7, 1))


def test_vintages_that_cannot_be_told() -> None:
    for deliverable, words in (
        ({"vintages": "named"}, "not named"),
        ({"vintages": "control_period_or_earlier"}, "last year"),
        ({"vintages": "x"}, "no rule"),
    ):
        with pytest.raises(ContractError, match=words):
            deliverable_vintages(one_of(deliverable), date(2026, 1, 1))
