"""The law changed while the market runs: from its day, known from today, and the same again after a replay and from a snapshot."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from small_markets import Desk, emitted, eu, surrender

from tonne.administration.clerk import Administration


def copies(desk: Desk) -> list[Administration]:
    """The market as replayed, and as restored from a snapshot."""
    replayed, restored = (Administration(desk.rulebook, desk.rulebook.system.begins) for _ in range(2))
    for entry in desk.entries:
        replayed.replay(entry)
    restored.restore(desk.admin.snapshot())
    return [desk.admin, replayed, restored]


def test_an_amendment_takes_effect_on_its_day(market: Desk) -> None:
    for year in (2019, 2020, 2021):
        market.accept("auction_calendar", year=year, volume=0)
    market.advance("2020-03-01")
    emitted(market, 2019, A1=0, B1=510)
    surrender(market, 2019, B1=500)
    market.accept("amend", day="2020-03-01", parameter="penalty.amount", from_="2021-01-01", value=120, source="a new directive", note="for good")
    market.advance("2021-03-01")
    emitted(market, 2020, A1=0, B1=20)
    market.advance("2021-05-01")
    assert [(row["shortfall"], row["low_minor"]) for row in market.state.fines.iter_rows(named=True)] == [(10, 100_000), (20, 240_000)]
    for admin in copies(market):
        book = admin.state.rulebook
        assert [book.at(day).value("penalty.amount") for day in ("2020-12-31", "2021-01-01")] == [100, 120]
        assert book.at("2021-01-01", known_on="2020-02-29").value("penalty.amount") == 100
        value = book.parameter("penalty.amount").values[-1]
        assert (value.published, value.source, value.note) == (date(2020, 3, 1), "a new directive", "for good")
        assert admin.founding_rulebook.at("2021-01-01").value("penalty.amount") == 100


@pytest.mark.parametrize(
    ("parameter", "value", "want"),
    [
        ("stability.intake_rate", Decimal("0.36"), Decimal("0.36")),
        ("stability.intake_rate", Decimal("1"), Decimal("1")),
        ("stability.intake_rate", Decimal("1E-3"), Decimal("0.001")),
        ("stability.intake_rate", "0.5", Decimal("0.5")),
        ("stability.intake_rate", 1, 1),
        ("stability.upper_threshold", 700_000_000, 700_000_000),
        ("penalty.make_good", False, False),
        ("penalty.make_good", None, None),
        ("obligation.surrender_share_kinds", ["maritime", "aviation"], ["maritime", "aviation"]),
    ],
)
def test_values_come_back_as_they_were_meant(market: Desk, parameter: str, value: object, want: object) -> None:
    market.accept("amend", parameter=parameter, from_="2019-01-01", value=value, source="a test")
    for admin in copies(market):
        got = admin.state.law().value(parameter)
        assert got == want and type(got) is type(want)


def test_tables_are_overlaid_key_by_key(market: Desk) -> None:
    shares = {2024: Decimal("0.30"), 2030: Decimal("1.0"), 2026: None}
    market.accept("amend", parameter="obligation.surrender_share", from_="2024-01-02", value=shares, source="a test")
    market.accept("amend", parameter="calendar.agenda", from_="2019-01-01", value={"surrender": "+1 06-30"}, source="a test")
    for admin in copies(market):
        table = admin.state.law(date(2024, 1, 2)).value("obligation.surrender_share")
        assert [table[year] for year in (2024, 2025, 2026, 2030)] == [Decimal("0.30"), Decimal("0.70"), None, Decimal("1.0")]
        agenda = admin.state.law().value("calendar.agenda")
        assert agenda["surrender"] == "+1 06-30" and agenda["report"] == "+1 03-31"


def test_a_deadline_that_was_moved(market: Desk) -> None:
    market.accept("amend", parameter="calendar.agenda", from_="2019-01-01", value={"surrender": "+1 06-30"}, source="a test")
    reason = market.refuse("not_due", "surrender_deadline", "law", day="2020-04-30", year=2019)
    assert reason == "surrender for 2019 is due on 2020-06-30; it is 2020-04-30"
    market.law("surrender_deadline", 2019, task="surrender")


def test_growth_and_dates(market: Desk) -> None:
    grows = {"start": 2030, "value": Decimal("10.00"), "until": 2032, "factor": Decimal("1.05"), "rounding": "nearest", "to": "0.01"}
    market.accept("amend", parameter="obligation.surrender_share", from_="2030-01-01", grows=grows, source="a test")
    for admin in copies(market):
        table = admin.state.law(date(2030, 1, 1)).value("obligation.surrender_share")
        assert [table[year] for year in (2026, 2030, 2031, 2032)] == [Decimal("1.0"), Decimal("10.00"), Decimal("10.50"), Decimal("11.03")]
    with pytest.raises(AssertionError, match="malformed"):
        market.accept("amend", parameter="stability.intake_rate", from_="2019-01-01", value=Fraction(1, 3), source="a test")


def test_what_was_decided_stays_decided() -> None:
    """An amendment that reaches back changes what is asked from now on, not what was done."""
    desk = eu()
    desk.law("issue", 2019)
    issued = desk.held("total-quantity")
    cap = {str(year): 1_000 for year in range(2013, 2021)}
    names = [path for path, p in desk.rulebook.parameters.items() if path.startswith("cap.") and p.by == "year" and not p.informative]
    desk.accept("amend", parameter=names[0], from_="2013-01-01", value=cap, source="a ruling")
    assert desk.held("total-quantity") == issued
    desk.check()
