"""A market in mid-year for people to try: built twice and interrupted it is the same, its people can do their jobs, and its bots keep it alive."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tonne
from tonne.administration.agenda import day_of
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.interfaces.api import open_market
from tonne.simulation.living_bots import OPEN, Bots
from tonne.simulation.living_market import build, plan_of
from tonne.simulation.living_people import GAP
from tonne.simulation.living_plan import TRADERS, LivingPlan, living_system
from tonne.simulation.run import RunRefused

#: What may happen to an order of a bot because another came first.
OF_THE_MARKET = {"order_not_open", "no_cover", "price_limit"}


class Stop(Exception):
    """The builder's machine goes off."""


class Market:
    """A market in memory, that keeps what it stored and may stop after so many commands."""

    def __init__(self, plan: LivingPlan, stop_after: int = 10**9) -> None:
        self.administration = Administration(plan.book, plan.book.system.begins)
        self.entries: list[Any] = []
        self.left = stop_after

    def send(self, command: Command) -> Reply:
        if not self.left:
            raise Stop
        reply, entry = self.administration.handle(command)
        if entry is not None:
            self.left -= 1
            self.entries.append(entry)
        return reply

    def again(self, plan: LivingPlan, count: int) -> Market:
        """The market that its first entries make."""
        found = Market(plan)
        for entry in self.entries[:count]:
            found.administration.replay(entry)
            found.entries.append(entry)
        return found

    @property
    def state(self) -> Any:
        return self.administration.state

    @property
    def hash(self) -> tuple[bytes, bytes]:
        return self.administration.hash, self.state.hash()


@pytest.fixture(scope="module")
def plan() -> LivingPlan:
    return plan_of(tonne.rulebook(living_system()))


@pytest.fixture(scope="module")
def built(plan: LivingPlan) -> Market:
    market = Market(plan)
    build(lambda: market.administration, market.send, plan)
    return market


@pytest.fixture
def market(plan: LivingPlan, built: Market) -> Market:
    """The built market, for a test to change."""
    found = Market(plan)
    found.administration.restore(built.administration.snapshot())
    return found


def test_the_shown_day_lies_inside_the_law_of_the_year(plan: LivingPlan, built: Market) -> None:
    assert built.state.today == plan.day
    assert plan.board.calendar.is_open(plan.day)
    assert plan.is_trading(plan.opens)
    assert plan.reports_until == day_of(built.state, "report", plan.year)
    open_days = [plan.day + timedelta(days=n) for n in range((plan.reports_until - plan.day).days)]
    assert 9 <= sum(plan.board.calendar.is_open(day) for day in open_days) <= 15
    assert plan.day < plan.surrenders_until


def test_on_a_durable_log_it_is_the_same_and_building_again_adds_nothing(plan: LivingPlan, built: Market, tmp_path: Path) -> None:
    where = tmp_path / "living.db"
    for _ in range(2):
        with open_market(where, plan.system) as desk:
            build(lambda desk=desk: desk.administration, desk.call, plan)
            assert (desk.administration.hash, desk.administration.state.hash()) == built.hash
            assert desk.administration.sequence == len(built.entries)


@pytest.mark.parametrize("part", range(4))
def test_interrupted_after_any_command_it_goes_on_to_the_same_market(plan: LivingPlan, built: Market, part: int) -> None:
    """Stops fall into the founding, the auctions, the deadline's trading, the reports, the day itself: each test takes its share of them."""
    total = len(built.entries)
    stops = sorted({total - 2 - part, 10 * (total * (part + 1) // 50), _deadline(built) + part - 2})
    for stop in stops:
        market = built.again(plan, stop)
        build(lambda market=market: market.administration, market.send, plan)
        assert market.hash == built.hash, f"stopped after {stop} commands"


def _deadline(built: Market) -> int:
    """The entry of the first surrenders: what people buy for them comes just before."""
    return next(place for place, entry in enumerate(built.entries) if entry.kind == "surrender")


def test_a_builder_that_is_stopped_twice_goes_on(plan: LivingPlan, built: Market) -> None:
    market = Market(plan, stop_after=333)
    for more in (500, 10**9):
        try:
            build(lambda: market.administration, market.send, plan)
        except Stop:
            market.left = more
    build(lambda: market.administration, market.send, plan)
    assert market.hash == built.hash


def test_a_log_of_another_market_is_refused(plan: LivingPlan, built: Market) -> None:
    other = plan_of(plan.book, seed=2)
    market = built.again(plan, 5)
    with pytest.raises(RunRefused, match="the log holds a run of other years"):
        build(lambda: market.administration, market.send, other)


def test_two_persons_are_founded_when_asked_for(plan: LivingPlan) -> None:
    market = Market(plan, stop_after=1)
    with pytest.raises(Stop):
        build(lambda: market.administration, market.send, plan_of(plan.book, two_persons=True))
    assert b'"two_persons":true' in market.entries[0].command


def test_the_books_balance_and_a_replay_is_the_same(plan: LivingPlan, built: Market) -> None:
    built.state.books.check()
    assert built.again(plan, len(built.entries)).hash == built.hash


def test_the_year_before_was_played_to_its_penalties(plan: LivingPlan, built: Market) -> None:
    state, first = built.state, plan.first_year
    for task in ("issue", "report", "surrender", "penalise", "publish_circulation"):
        assert day_of(state, task, first) is None or f"{task}:{first}" in state.done
    counts = dict(state.statuses.filter(pl.col("year") == first).group_by("status").len().iter_rows())
    assert counts["B"] == len(plan.society.late) + len(plan.society.short) == 6
    assert counts["A"] > 200
    assert state.fines["installation"].sort().to_list() == sorted((*plan.society.late, *plan.society.short))
    assert len(state.noticed("auction_result", None)) > 50
    assert f"report:{plan.year}" not in state.done
    assert f"surrender:{plan.year}" not in state.done


def test_reports_of_the_year_stand_at_every_stage(plan: LivingPlan, built: Market) -> None:
    rows = built.state.reports.for_year(plan.year)
    counts = Counter(rows["state"].to_list())
    assert counts["verified"] > 40
    assert counts["reported"] > 40
    assert counts["rejected"] >= 1
    assert len(built.state.installations.frame) - sum(counts.values()) > 40  # nothing yet
    assert plan.shown.installation not in rows["installation"]
    own = plan.people["verifier"].participant
    assert sum(plan.verifier_of(name) == own for name in rows.filter(pl.col("state") == "reported")["installation"]) > 10


def test_names_say_that_they_are_synthetic(plan: LivingPlan, built: Market) -> None:
    named = {one.id: one.name for one in built.state.participants.values()}
    assert len(plan.society.operators) == 200
    assert all("SYNTHETIC" in name for name in named.values())
    assert "SYNTHETIC" in plan.label
    for persona in plan.people.values():
        if persona.role != "administrator":
            assert named[persona.participant] == persona.name
        assert all(built.state.accounts.holders[built.state.accounts.number(account)] == persona.participant for account in persona.accounts)


def test_weeks_of_closed_days_and_a_full_book(plan: LivingPlan, built: Market) -> None:
    exchange, board = built.state.exchange, plan.board
    for place, one in enumerate(board.traded):
        number = exchange.number(one.code)
        bars = exchange.bars[exchange.bars["instrument"] == number][-30:]
        assert len(bars) == 30
        assert (bars["settlement"] > 0).all()
        assert (bars["volume"] > 0).sum() > 25
        assert len(set(bars["settlement"].tolist())) > 10
        bid, offer = exchange.book.best(number)
        assert 0 < bid < offer
        now = board.ticks(place, board.level, plan.day)
        assert abs((bid + offer) // 2 - now) < 20 * board.step(place)
    assert len(exchange.book.open_orders()) > 3 * TRADERS


def test_one_auction_is_open_with_bids_and_one_is_next(plan: LivingPlan, market: Market) -> None:
    sales = market.state.exchange.sales
    assert sorted(sale["held_on"] for sale in sales.values()) == [day.isoformat() for day in plan.auctions]
    (name, sale), (_, later) = sorted(sales.items(), key=lambda row: row[1]["held_on"])
    assert len(sale["bids"]) >= 8
    assert not later["bids"]
    trader = plan.people["trader"]
    lot = sale["bids"][0][2]
    bids = pl.DataFrame({"account": [trader.accounts[0]], "price": [str(plan.board.floor.price)], "quantity": [min(lot, 500)]})
    assert market.send(Command("own:bid", "bid", trader.participant, plan.day, {"auction": name}, {"bids": bids})).accepted
    cleared = market.send(Command("own:clear", "clear_auction", "auctioneer", plan.auctions[0], {"auction": name}))
    assert cleared.accepted, cleared.reason
    assert cleared.events[0]["sold"] > 0
    market.state.books.check()


def test_the_operator_reports_buys_and_surrenders(plan: LivingPlan, market: Market) -> None:
    """report -> the verifier signs -> buy what is lacking on the exchange -> surrender, all on the shown day."""
    state, shown, day = market.state, plan.shown, plan.day
    account, unit = state.accounts.number(shown.accounts[0]), state.unit(state.allowance_code(plan.year))
    emitted = plan.society.emissions[shown.installation]
    lacking = emitted - state.books.available(account, unit)
    assert lacking == GAP
    year_before = state.reports.for_year(plan.first_year).filter(pl.col("installation") == shown.installation)
    assert year_before["state"].item() == "verified"

    def say(kind: str, by: str, body: dict[str, Any] | None = None, **tables: pl.DataFrame) -> Reply:
        reply = market.send(Command(f"own:{kind}:{len(market.entries)}", kind, by, day, body or {}, tables))
        assert reply.accepted, reply.reason
        return reply

    row = pl.DataFrame({"installation": [shown.installation], "year": [plan.year]}).with_columns(pl.col("year").cast(pl.Int32))
    say("report", shown.participant, reports=row.with_columns(emissions=pl.lit(emitted, pl.Int64)))
    say("verify", plan.people["verifier"].participant, reports=row.with_columns(verified=pl.lit(emitted, pl.Int64)))
    for quantity in (100, lacking - 100):
        offer = state.exchange.book.best(state.exchange.number(plan.board.spot.code))[1]
        price = str(plan.board.spot.contract.price(int(offer) + 50))
        order = {"instrument": plan.board.spot.code, "account": shown.accounts[0], "side": "buy", "price": price, "quantity": quantity}
        reply = say("orders", shown.participant, {"orders": [order]})
        assert reply.events[0]["executions"]["trade"] >= 1
    assert state.books.available(account, unit) == emitted  # at once, not days later
    table = pl.DataFrame({"installation": [shown.installation], "quantity": [emitted]})
    say("surrender", shown.participant, {"year": plan.year}, surrenders=table)
    assert state.books.available(account, unit) == 0
    state.books.check()


def ticked(market: Market, plan: LivingPlan, ticks: int, seconds: int = 3) -> tuple[Counter[str], int]:
    """(reasons for which rows did not reach the book or were refused by it, most open orders) of so many ticks; every command is accepted."""
    bots = Bots(lambda: nullcontext(market.state), market.send, plan)
    reasons: Counter[str] = Counter()
    most = 0
    for number in range(ticks):
        for reply in bots.tick(plan.opens + timedelta(seconds=seconds * number)):
            assert reply.accepted, reply
            assert not reply.repeated
            for event in reply.events:
                reasons.update(event.get("refusals", {}))
                reasons.update({"not covered": len(event.get("refused", []))})
        most = max(most, len(market.state.exchange.book.open_orders()))
    return reasons, most


def test_bots_keep_it_alive_within_bounds(plan: LivingPlan, built: Market, market: Market) -> None:
    before = Counter(market.state.reports.for_year(plan.year)["state"].to_list())
    traded = market.state.exchange.n_trades
    reasons, most = ticked(market, plan, 500)
    assert set(+reasons) <= OF_THE_MARKET, reasons
    assert most <= len(built.state.exchange.book.open_orders()) + 2 * TRADERS * (OPEN + 1) * len(plan.board.traded)
    assert market.state.exchange.n_trades > traded + 100
    after = Counter(market.state.reports.for_year(plan.year)["state"].to_list())
    assert after["verified"] > before["verified"] + 10
    assert sum(after.values()) > sum(before.values()) + 10
    kinds = Counter(entry.kind for entry in market.entries)
    assert set(kinds) == {"orders", "report", "verify", "surrender"}
    assert not market.state.exchange.owed.any()
    market.state.books.check()


def test_bots_leave_what_belongs_to_people(plan: LivingPlan, market: Market) -> None:
    """The operator's account and report, and the reports that wait for the persona's verifier, are as they were."""
    own = plan.people["verifier"].participant

    def theirs() -> tuple[Any, ...]:
        rows = market.state.reports.for_year(plan.year).filter(pl.col("state") == "verified")["installation"].to_list()
        account = market.state.accounts.number(plan.shown.accounts[0])
        held = [market.state.books.available(account, unit) for unit in range(len(market.state.books.unit_types))]
        return held, sorted(name for name in rows if plan.verifier_of(name) == own), plan.shown.installation in rows

    before = theirs()
    ticked(market, plan, 120, seconds=15)
    assert theirs() == before
    assert {entry.actor for entry in market.entries}.isdisjoint({own, plan.shown.participant, "administrator", "trader-1"})


def test_bots_do_the_same_again_and_a_replay_is_the_same(plan: LivingPlan, built: Market, market: Market) -> None:
    twin = Market(plan)
    twin.administration.restore(built.administration.snapshot())
    for one in (market, twin):
        ticked(one, plan, 60)
    assert market.hash == twin.hash
    replayed = Administration(plan.book, plan.book.system.begins)
    for entry in (*built.entries, *market.entries):
        replayed.replay(entry)
    assert (replayed.hash, replayed.state.hash()) == market.hash


def test_bots_begun_anew_collide_with_nothing(plan: LivingPlan, market: Market) -> None:
    for start in (0, 20, 21):
        bots = Bots(lambda: nullcontext(market.state), market.send, plan)
        for number in range(20):
            assert all(reply.accepted and not reply.repeated for reply in bots.tick(plan.opens + timedelta(seconds=start * 20 + number)))


def test_bots_rest_when_the_exchange_is_closed(plan: LivingPlan, market: Market) -> None:
    bots = Bots(lambda: nullcontext(market.state), market.send, plan)
    night = plan.opens + timedelta(hours=10)
    assert not plan.is_trading(night)
    assert all(reply.accepted for reply in bots.tick(night))
    assert "orders" not in {entry.kind for entry in market.entries}


def test_where_two_persons_are_needed_bots_surrender_nothing(plan: LivingPlan, market: Market) -> None:
    ticked(market, plan_of(plan.book, two_persons=True), 60, seconds=30)
    assert set(entry.kind for entry in market.entries) == {"orders", "report", "verify"}


def test_on_the_next_day_the_venue_opens_again(plan: LivingPlan, market: Market) -> None:
    assert market.send(Command("close", "close_day", "venue", plan.day)).accepted
    following = plan.board.calendar.add(plan.day, 1)
    bots = Bots(lambda: nullcontext(market.state), market.send, plan)
    later = plan.opens + (following - plan.day)
    for second in range(60):
        assert all(reply.accepted for reply in bots.tick(later + timedelta(seconds=second)))
    assert market.state.today == following
    assert market.state.exchange.n_trades > 0


def test_other_systems_have_a_plan_that_can_be_built_or_are_refused_by_name(plan: LivingPlan) -> None:
    others, refused = [], 0
    for name in tonne.systems():
        if name == plan.system:
            continue
        try:
            others.append(plan_of(tonne.rulebook(name)))
        except ValueError as error:
            assert name in str(error)
            refused += 1
    assert others
    assert refused
    for other in others:
        market = Market(other)
        build(lambda market=market: market.administration, market.send, other)
        market.state.books.check()
        account, unit = market.state.accounts.number(other.shown.accounts[0]), market.state.unit(market.state.allowance_code(other.year))
        assert other.society.emissions[other.shown.installation] - market.state.books.available(account, unit) == GAP
        reasons, _ = ticked(market, other, 60)
        assert set(+reasons) <= OF_THE_MARKET
