"""Auctions and the call at the deadline, in runs of every system that auctions: the law's days and prices, what is left, going on after a stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

import tonne
from simulation.test_run import Memory, synthetic
from tonne.administration.agenda import day_of
from tonne.administration.asks import answer, asks
from tonne.administration.auction_terms import switches_of, terms_of
from tonne.administration.decision import ROWS_PER_COMMAND
from tonne.administration.kinds import Kind
from tonne.law import LawError
from tonne.market.auction_calendar import Outcome, UnsoldRule
from tonne.simulation.auction_plan import AuctionPlan
from tonne.simulation.periods import whole_period
from tonne.simulation.run import Inputs

TODAY = date(2026, 6, 30)
AUCTIONING = [name for name in tonne.systems() if "auction_format" in asks(tonne.rulebook(name))]
#: Those whose last whole period has a price, a volume and a law on bids.
HOLDING = ["california", "eu-ets", "guangdong-pilot-ets", "k-ets", "rggi", "swiss-ets", "uk-ets", "washington"]
SIZE = 24


@cache
def ran(system: str) -> tuple[Memory, Inputs, int, int]:
    first, last = whole_period(tonne.rulebook(system), TODAY)
    inputs = synthetic(system, first, last, SIZE)
    market = Memory(system)
    market.run(inputs, first, last)
    return market, inputs, first, last


def results(market: Memory) -> list[dict[str, Any]]:
    return [notice for notice in market.admin.state.notices if notice["what"] == "auction_result"]


def moved(market: Memory, verb: str, *kinds: Kind) -> Any:
    """Transfers that commands of a verb made."""
    rows = market.admin.state.books.transfers
    numbers = [entry.sequence for entry in market.entries if entry.kind == verb and entry.outcome == "accepted"]
    return rows[np.isin(rows["id"] // ROWS_PER_COMMAND, numbers) & np.isin(rows["kind"], [int(kind) for kind in kinds])]


def stall(market: Memory) -> int:
    state = market.admin.state
    return sum(int(state.books.balance(state.accounts.number("auction"), unit)) for unit in state.allowance_units())


@pytest.mark.parametrize("system", AUCTIONING)
def test_auctions_keep_to_the_law(system: str) -> None:
    market, _, first, last = ran(system)
    state, held = market.admin.state, results(market)
    assert bool(held) == (system in HOLDING)
    for told in held:
        law, year = state.rulebook.at(told["day"]), told["year"]
        rules = switches_of(law)
        terms = terms_of(law, rules, told["offered"], year=year)
        assert (told["reserve"], told["ceiling"]) == tuple(None if p is None else str(rules.price(p)) for p in (terms.reserve, terms.ceiling))
        assert told["outcome"] == "cleared" and told["sold"] == told["offered"] + told["added"] + sum(told["by_tier"]) - told["withheld"]
        assert rules.ticks(told["price"]) >= (terms.reserve or 1) and rules.ticks(told["price"]) <= (terms.ceiling or 10**9)
        assert told["offered"] % rules.step == 0
        assert told["day"] in days_of(system, year) or told["day"] == str(day_of(state, "auction", year))
    for year in range(first, last + 1):
        offered = [told["planned"] for told in held if told["year"] == year]
        assert not offered or sum(offered) <= state.notice("auction", year)["quantity"]
    state.books.check()


@cache
def days_of(system: str, year: int) -> frozenset[str]:
    book = tonne.rulebook(system)
    found: set[str] = set()
    for on in (date(year, 1, 1), date(year, 12, 31)):
        try:
            found |= {str(day) for day in answer(book.at(max(on, book.system.begins)), "auction_dates", (year,))}
        except (LawError, ValueError):
            continue
    return frozenset(found)


@pytest.mark.parametrize("system", HOLDING)
def test_units_and_money_of_the_auctions_add_up(system: str) -> None:
    market, _, _, _ = ran(system)
    state, held = market.admin.state, results(market)
    rules = switches_of(state.law())
    left = stall(market)
    most = rules.bid_limit(left // rules.step * rules.step)
    assert left < rules.step or (most is not None and most < rules.minimum)  # less than a lot, or than anybody may bid for
    treasury = state.accounts.number("treasury")
    paid = moved(market, "clear_auction", Kind.PAY)
    assert int(paid["quantity"][paid["to_account"] == treasury].sum()) == sum(told["paid_minor"] for told in held) > 0
    assert int(moved(market, "clear_auction", Kind.SELL)["quantity"].sum()) == sum(told["sold"] for told in held)
    assert {told["auction"] for told in held} == set(state.exchange.auctioned) and not state.exchange.sales


@pytest.mark.parametrize("system", HOLDING)
def test_at_the_deadline_everybody_trades_at_the_years_price(system: str) -> None:
    market, inputs, _, _ = ran(system)
    state = market.admin.state
    money = state.unit(state.rulebook.system.currency)
    calls = [entry for entry in market.entries if entry.kind == "orders"]
    rows = state.books.transfers
    for entry in calls:
        mine = rows[rows["id"] // ROWS_PER_COMMAND == entry.sequence]
        posted = mine[mine["flags"] & 2 == 0]
        paid = int(posted["quantity"][posted["unit"] == money].sum())
        units = int(posted["quantity"][posted["unit"] != money].sum())
        year = int(entry.command_id.split(":")[2])
        step = Decimal(1).scaleb(-2 if state.rulebook.system.currency not in ("KRW", "JPY") else 0)
        price = Fraction(inputs.prices[year].quantize(step)) / Fraction(step)
        assert units > 0 and paid == units * price, entry.command_id


def bidders(market: Memory) -> set[str]:
    """Everybody who bought at an auction."""
    return {market.admin.state.accounts.ids[number] for number in moved(market, "clear_auction", Kind.SELL)["to_account"].tolist()}


@pytest.mark.parametrize("system", ["uk-ets", "k-ets", "california", "rggi"])
def test_interrupted_between_offer_and_auction_and_after_the_years_task_it_ends_the_same(system: str) -> None:
    whole, inputs, first, last = ran(system)
    want = whole.admin.state.hash()
    kinds = [entry.kind for entry in whole.entries]
    stops = [place + 1 for place, kind in enumerate(kinds) if kind == "offer"][::4]
    task = max(place for place, kind in enumerate(kinds) if kind == "auction")
    for stop in {*stops, task + 1, min(task + 2, len(kinds))}:
        again = Memory(system, whole.entries[:stop])
        assert again.run(inputs, first, last) == want, f"interrupted after {stop} commands"
        assert len(again.entries) == len(whole.entries)


# -- unsold units


def below(system: str, year: int, price: str) -> tuple[Memory, Inputs]:
    inputs = replace(synthetic(system, year, year, SIZE), prices={year: Decimal(price), year + 1: Decimal(price)})
    market = Memory(system)
    want = market.run(inputs, year, year)
    offers = [place for place, entry in enumerate(market.entries) if entry.kind in ("offer", "auction")]
    for stop in (offers[1] + 1, offers[-1] + 1):
        assert Memory(system, market.entries[:stop]).run(inputs, year, year) == want
    market.admin.state.books.check()
    return market, inputs


def test_below_the_british_floor_units_are_spread_to_a_quarter_more_and_the_rest_goes_to_the_reserve() -> None:
    market, _ = below("uk-ets", 2024, "10.00")
    held, state = results(market), market.admin.state
    assert {told["reason"] for told in held} == {"no_bids"} and sum(told["sold"] for told in held) == 0
    assert held[1]["offered"] > held[1]["planned"]
    assert all(told["offered"] <= told["planned"] * 5 // 4 for told in held)
    reserve = state.accounts.number("stability-reserve")
    kept = int(state.books.balance(reserve, state.allowance_units()[0]))
    assert kept > 0 and kept + stall(market) == state.notice("auction", 2024)["quantity"]


def test_who_must_have_units_still_bids_where_the_price_is_little_below_the_floor() -> None:
    market, _ = below("uk-ets", 2024, "20.95")
    held = results(market)
    sold = [told for told in held if told["sold"]]
    assert sold and all(Decimal(told["price"]) >= 22 for told in sold) and not any(bid.startswith("dealer") for bid in bidders(market))
    assert any(told["reason"] == "no_bids" for told in held)  # on days on which even they think less of a unit


def test_washington_puts_unsold_units_into_its_reserve_and_california_lets_them_wait() -> None:
    market, _ = below("washington", 2023, "5.00")
    state, held = market.admin.state, results(market)
    kept = int(state.books.balance(state.accounts.number("stability-reserve"), state.allowance_units()[0]))
    assert kept == sum(told["unsold"] for told in held) > 0
    market, _ = below("california", 2023, "5.00")
    held = results(market)
    assert sum(told["unsold"] for told in held) <= stall(market) and {told["planned"] == told["offered"] for told in held} == {True}


def test_korea_offers_unsold_units_in_the_next_auction() -> None:
    plan = AuctionPlan()
    plan.add(2025, [date(2025, 1, 8), date(2025, 2, 12)], UnsoldRule("next"))
    for place in (0, 1):
        plan.plan(place, 1_000)
    plan.end(plan.offered(), Outcome(400))
    assert plan.offered() == 1_600 and plan.waiting() == 600
    plan.end(plan.offered(), Outcome(1_000))
    assert plan.waiting() == 600 and plan.left() == (0, 0)
    plan.add(2026, [date(2026, 1, 7)])
    plan.plan(2, 500)
    assert (plan.names[2], plan.offered(), plan.spent) == ("auction:2026:1", 1_100, {2025: 2_000})


def test_spread_units_pass_the_years_end() -> None:
    plan = AuctionPlan()
    plan.add(2018, [date(2018, 12, 10), date(2018, 12, 17)], UnsoldRule("spread", auctions=4, lot=500))
    plan.plan(0, 4_000)
    plan.plan(1, 4_000)
    plan.end(plan.offered(), Outcome(4_000))
    plan.end(plan.offered(), Outcome(0))  # the last auction of the year is cancelled
    assert plan.waiting() == 4_000 and plan.left() == (0, 0)
    plan.add(2019, [date(2019, 1, day) for day in (7, 8, 10)])
    for place in (2, 3, 4):
        plan.plan(place, 3_000)
    assert plan.offered() == 4_000
    plan.end(plan.offered(), Outcome(4_000))
    assert plan.offered() == 4_000 and plan.waiting() == 3_000


def test_a_new_rule_takes_over_what_waits() -> None:
    plan = AuctionPlan()
    plan.add(2018, [date(2018, 6, 1)], UnsoldRule(None))
    plan.plan(0, 1_000)
    plan.end(plan.offered(), Outcome(300))
    assert plan.waiting() == 700
    plan.add(2019, [date(2019, 6, 1), date(2019, 9, 1)], UnsoldRule("next"))
    plan.plan(1, 100)
    plan.plan(2, 100)
    assert plan.offered() == 800
    plan.end(plan.offered(), Outcome(800))
    assert plan.offered() == 100 and plan.waiting() == 0
    plan.add(2020, [date(2020, 6, 1)], UnsoldRule("gone"))
    assert plan.offered() == 100  # planned under the old rule, and the first under the new one
    plan.end(plan.offered(), Outcome(30))
    plan.plan(3, 200)
    plan.end(plan.offered(), Outcome(0))
    assert plan.left() == (270, 0)
    plan.add(2021, [date(2021, 6, 1)], UnsoldRule("reserve"))
    plan.plan(4, 50)
    plan.end(plan.offered(), Outcome(0))
    assert plan.left() == (270, 50)


def test_the_table_of_auctions() -> None:
    """Exact prices with the digits of the money, the proceeds of each auction, the days in order; empty where nobody knows a price."""
    with tonne.run("k-ets", years=(2025, 2025), synthetic=SIZE) as run:
        table, state = run.auctions(), run.outcome.state
        assert table["day"].is_sorted() and table.height == len(state.exchange.auctioned) == 12
        assert table["price"].to_list()[0] == Decimal(state.noticed("auction_result", 2025)[0]["price"])
        assert table.schema["price"].scale == 0 and table["cover_ratio"].min() >= 1  # type: ignore[operator, attr-defined]
        assert (table["price"] * table["sold"] == table["proceeds_minor"]).all()
        assert run.data().auctions is not None
    with tonne.run("k-ets", years=(2025, 2025), synthetic=SIZE, prices={}) as run:
        assert run.auctions().height == 0 and run.auctions().columns == table.columns
