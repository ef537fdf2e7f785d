"""One plant, one chimney, two markets: regional allowances for short tons and State allowances for metric tons of the same CO2."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from tonne.administration.asks import answer
from tonne.law import Law, NotYetInForce, load
from tonne.units import NEAREST, UP, convert, fraction, round_decimal

REGION, STATE = "rggi", "massachusetts-egel"
PLANT = {"capacity_mw": 400, "state": "Massachusetts"}


def law(system: str, day: date) -> Law:
    return load(system, answer).at(day)


def units_owed(system: str, tonnes: int, day: date, year: int) -> int:
    """What a plant owes a system for its CO2, measured in metric tons at the stack and told to each system in its own measure."""
    measure = load(system).system.measure
    return int(answer(law(system, day), "obligation", (), {"verified": convert(tonnes, "tonne", measure, UP), "year": year}))


def test_a_thousand_tonnes_are_owed_twice_in_two_measures() -> None:
    assert units_owed(STATE, 1_000, date(2022, 3, 1), 2021) == 1_000
    assert units_owed(REGION, 1_000, date(2024, 3, 1), 2021) == 1_103
    # The worked example has the exact 1,102.31 short tons; no part of an allowance can be surrendered.
    per_unit = law(REGION, date(2021, 1, 1)).value("scope.tonnes_per_unit")
    assert round_decimal(Fraction(1_000) / fraction(per_unit), "0.01", NEAREST) == Decimal("1102.31")


def test_the_short_tons_are_the_same_carbon_as_the_tonnes() -> None:
    regional = law(REGION, date(2021, 6, 1))
    assert answer(regional, "tonnes", (), {"quantity": 1_102}) == 1_000  # 999.72
    assert answer(regional, "tonnes", (), {"quantity": 1_103}) == 1_001  # 1,000.62
    assert answer(regional, "tonnes", (), {"quantity": units_owed(REGION, 5_000_000, date(2024, 3, 1), 2021)}) == 5_000_000


def test_one_plant_is_covered_by_both() -> None:
    for system in (REGION, STATE):
        assert answer(law(system, date(2021, 6, 1)), "is_covered", (), PLANT) is True
        assert answer(law(system, date(2021, 6, 1)), "is_covered", (), PLANT | {"capacity_mw": 24}) is False
    neighbour = PLANT | {"state": "Vermont"}
    assert answer(law(REGION, date(2021, 6, 1)), "is_covered", (), neighbour) is True
    assert answer(law(STATE, date(2021, 6, 1)), "is_covered", (), neighbour) is False


def test_they_fall_due_in_different_rhythms() -> None:
    assert law(STATE, date(2022, 3, 1)).value("calendar.agenda")["surrender"] == law(REGION, date(2022, 3, 1)).value("calendar.agenda")["surrender"]
    assert law(REGION, date(2022, 3, 1)).value("calendar.period_end")[2021] == 2023
    assert not law(STATE, date(2022, 3, 1)).has("calendar.period_end")


def test_a_tonne_costs_both_prices() -> None:
    """In December 2018: 6.71 for the State's metric ton and 5.35 for the region's short ton, about 12.60 together as published."""
    state = law(STATE, date(2018, 12, 18)).value("statistics.first_auction_price")
    region = fraction(law(REGION, date(2018, 12, 31)).value("statistics.auction_price")[42])
    per_tonne = region / fraction(law(REGION, date(2018, 12, 31)).value("scope.tonnes_per_unit"))
    published = law(STATE, date(2018, 12, 18)).value("statistics.both_prices_per_tonne")
    assert region == fraction("5.35")
    assert abs(fraction(state) + per_tonne - fraction(published)) < fraction("0.01")


def test_what_is_missing_is_fined_by_each_for_itself() -> None:
    missing = 100
    for system in (REGION, STATE):
        today = law(system, date(2024, 3, 2))
        assert answer(today, "penalty_units", (), {"shortfall": missing}) == 300
        assert answer(today, "still_owed", (), {"missing": missing}) == missing


def test_each_rulebook_names_the_other_from_2018_on() -> None:
    for here, there in ((REGION, STATE), (STATE, REGION)):
        book = load(here)
        beside = [link.system for link in book.links_on(date(2018, 1, 1)) if link.kind == "beside"]
        assert beside == [there]
        assert not [link for link in book.links_on(date(2017, 12, 31)) if link.kind == "beside"]


def members(day: date) -> set[str]:
    return {link.jurisdiction for link in load(REGION).links_on(day) if link.kind == "member"}


@pytest.mark.parametrize(
    ("day", "count", "new_jersey", "virginia"),
    [
        (date(2009, 1, 1), 10, True, False),
        (date(2011, 12, 31), 10, True, False),
        (date(2012, 1, 1), 9, False, False),
        (date(2019, 12, 31), 9, False, False),
        (date(2020, 1, 1), 10, True, False),
        (date(2021, 1, 1), 11, True, True),
        (date(2023, 12, 31), 11, True, True),
        (date(2024, 1, 1), 10, True, False),
    ],
)
def test_states_join_and_leave_the_region_on_their_days(day: date, count: int, new_jersey: bool, virginia: bool) -> None:
    assert len(members(day)) == count
    assert ("New Jersey" in members(day), "Virginia" in members(day)) == (new_jersey, virginia)
    assert "Pennsylvania" not in members(day)


@pytest.mark.parametrize("year", range(2009, 2026))
def test_the_links_and_the_law_name_the_same_members(year: int) -> None:
    day = date(year, 7, 1)
    covered = law(REGION, day).value("scope.member_states")
    assert members(day) == {state for state, takes_part in covered.items() if takes_part}


def test_a_member_was_no_member_before_the_region_began() -> None:
    assert members(date(2008, 12, 31)) == set()
    with pytest.raises(NotYetInForce):
        law(STATE, date(2018, 12, 17)).value("statistics.first_auction_price")
