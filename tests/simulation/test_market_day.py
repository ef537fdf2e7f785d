"""A trading day from auction to delivery: everything that should happen does, it adds up, and neither process nor interruption changes it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonne
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply, decode
from tonne.administration.events import GENESIS, Entry
from tonne.administration.kinds import Kind
from tonne.ledger import TransferFlag
from tonne.market.orders import Happening, Phase
from tonne.simulation.run import RunRefused
from tonne.simulation.trading_day import DEFAULTER, LAYERER, SHORT, SHORT_LOTS, WASHER, DayInputs, TradingDay, name_of, run_day
from tonne.simulation.trading_day_told import Told, tell
from tonne.simulation.trading_floor import Floor, floor_of

SRC = Path(__file__).parents[2] / "src"
SYSTEM, YEAR = "eu-ets", 2026


@dataclass
class Day:
    """A day in memory: its administration and its log."""

    admin: Administration
    entries: list[Entry]

    def send(self, command: Command) -> Reply:
        reply, entry = self.admin.handle(command)
        if entry is not None:
            self.entries.append(entry)
        return reply


@cache
def floor(system: str = SYSTEM) -> Floor:
    return floor_of(tonne.rulebook(system), YEAR)


def fresh(system: str = SYSTEM) -> Day:
    book = tonne.rulebook(system)
    return Day(Administration(book, book.system.begins), [])


def run(participants: int, seed: int, system: str = SYSTEM) -> Day:
    day = fresh(system)
    run_day(lambda: day.admin, day.send, DayInputs(floor(system), participants, seed))
    return day


@cache
def shown() -> Day:
    return run(50, 1)


@cache
def told() -> Told:
    return tell(tonne.rulebook(SYSTEM), floor(), shown().entries)


def events(name: str) -> list[dict[str, Any]]:
    found = [event for entry in shown().entries if entry.outcome == "accepted" for event in decode(entry.events)]
    return [event for event in found if event["event"] == name]


# what happens


def test_the_auction_is_cleared_by_the_law_and_paid() -> None:
    sale = told().auction
    assert sale is not None and sale["outcome"] == "cleared" and sale["sold"] == sale["offered"] == 1_000_000
    assert sale["paid_minor"] == int(Decimal(sale["price"]) * 100) * sale["sold"]  # one price for all
    assert sale["bids"] == 88 and sale["bidders"] == 44  # 45 bid twice, one took its bids back


def test_instructions_are_refused_by_name() -> None:
    refused = told().refused_instructions
    assert refused["price_limit"] > 0 and refused["outside_session"] > 0 and refused["no_cover"] > 0
    assert {"order_not_open", "duplicate_order", "limit_needed", "not_the_account"} <= set(refused)
    assert told().refused_commands == {"off_tick": 1, "below_minimum": 1, "no_cover": 1, "nothing_to_do": 1}


def test_one_volatility_call_and_one_halt_an_instrument() -> None:
    pauses = told().pauses
    assert Counter((pause["what"], pause["instrument"]) for pause in pauses) == {
        (what, one.code): 1 for what in ("volatility_call", "halt") for one in floor().traded[:2]
    }
    for pause in pauses:
        assert pause["begins"].date() == pause["ends"].date() == floor().days.last
        lasted = (pause["ends"] - pause["begins"]).total_seconds()
        assert lasted == (300 if pause["what"] == "volatility_call" else 900)
        assert (pause["lots"] > 0) == (pause["what"] == "volatility_call")


def test_nothing_trades_in_a_halt_and_the_day_has_all_its_phases() -> None:
    rows = told().executions
    halts = [pause for pause in told().pauses if pause["what"] == "halt"]
    begins, ends = (int(halts[0][name].timestamp() * 1_000_000) for name in ("begins", "ends"))
    deals = rows[rows["happening"] == Happening.TRADE]
    assert len(deals) > 400 and not ((deals["time"] > begins) & (deals["time"] < ends)).any()
    phases = set(rows["quantity"][rows["happening"] == Happening.PHASE_CHANGED].tolist())
    assert phases >= {Phase.PRE_OPEN, Phase.OPENING_CALL, Phase.CONTINUOUS, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL, Phase.HALT, Phase.POST_CLOSE}
    hours = told().trades["time"].dt.time().to_list()
    assert min(hours) >= time(7, 0) and max(hours) <= time(17, 10)  # the contract's own hours, and the closing call


def test_deals_beside_the_book_move_no_price() -> None:
    assert [(deal["method"], deal["lots"]) for deal in told().negotiated] == [("block", 600), ("block", 100), ("block", 60), ("over_the_counter", 15)]
    bars = {(row["instrument"], row["day"]): row for row in told().bars.to_dicts()}
    option, first = floor().traded[2].code, floor().days.first
    assert bars[option, first]["volume"] == 0 and bars[option, first]["negotiated"] == 100 and bars[option, first]["open"] is None


def test_the_member_that_cannot_pay_is_borne_by_every_layer_to_the_cent() -> None:
    fall = told().default
    assert fall is not None and fall["participant"] == name_of(DEFAULTER)
    rows = {row["layer"]: row for row in fall["waterfall"]}
    assert list(rows) == ["defaulter_margin", "defaulter_fund", "house_capital", "default_fund", "assessment"]
    assert all(row["used"] > 0 for row in rows.values())
    assert (
        all(rows[name]["used"] == rows[name]["available"] for name in list(rows)[:-1])
        and rows["assessment"]["used"] < rows["assessment"]["available"]
    )
    assert sum(row["used"] for row in rows.values()) + fall["uncovered"] == fall["loss"] and fall["uncovered"] == 0
    (fell,) = events("defaulted")
    mark = next(row["settlement"] for row in told().bars.to_dicts() if row["day"] == floor().days.last and row["instrument"] == floor().future.code)
    lost = sum((mark - floor().future.contract.price(ticks)) * lots * 1000 for _, _, lots, ticks in fell["takers"])
    assert Decimal(fall["loss"]) == lost * 100  # what the taking over cost, and nothing else: it owed no variation yet
    assert sum(lots for _, _, lots, _ in fell["takers"]) == 600


def test_the_option_becomes_futures_and_the_future_units() -> None:
    option, delivered, failed = told().ended
    assert (option["what"], option["lots"], option["day"]) == ("exercised", 100, floor().days.between)
    assert delivered["day"] == floor().days.delivery and delivered["lots"] > 500 and delivered["units"] == 1_000 * delivered["lots"]
    assert (delivered["failed_by"], delivered["failed_lots"], delivered["left_lots"]) == ([name_of(SHORT)], SHORT_LOTS, SHORT_LOTS)
    assert failed["left_lots"] == 0 and failed["compensation"] == (failed["bought_in_at"] - failed["price"]) * SHORT_LOTS * 1_000 * 100
    handed = shown().admin.state.books.transfers
    rows = handed[handed["kind"] == int(Kind.DELIVER)]
    assert int(rows["quantity"].sum()) == delivered["units"]


def test_spot_trades_settle_on_their_days() -> None:
    days = floor().days
    assert [row["day"] for row in told().settled] == [days.between, days.last, days.settled, days.late]
    assert all(row["agreements"] > 0 and row["failed"] == 0 for row in told().settled)
    spot = told().trades.filter(instrument=floor().spot.code)
    dealt = sum(deal["instrument"] == floor().spot.code for deal in told().negotiated)
    with_oneself = spot.filter(buyer=spot["seller"]).height
    assert sum(row["agreements"] for row in told().settled) == spot.height + dealt - with_oneself


def test_who_misbehaved_is_found() -> None:
    found = {(alert["kind"], who) for alert in told().alerts for who in alert["participants"]}
    assert ("wash_trade", name_of(WASHER)) in found and ("layering", name_of(LAYERER)) in found


# it adds up


def test_units_and_money_add_up_by_a_plain_count() -> None:
    state = shown().admin.state
    held: dict[tuple[int, int], int] = defaultdict(int)
    for row in state.books.transfers:
        if not row["flags"] & int(TransferFlag.PENDING | TransferFlag.VOID):
            held[int(row["to_account"]), int(row["unit"])] += int(row["quantity"])
            held[int(row["from_account"]), int(row["unit"])] -= int(row["quantity"])
    for (account, unit), quantity in held.items():
        assert state.books.balance(account, unit) == quantity
    for unit in range(len(state.books.unit_types)):
        assert sum(quantity for (_, of), quantity in held.items() if of == unit) == 0
    assert all(told().adds_up.values()), told().adds_up
    money = state.unit("EUR")
    accounts = state.accounts
    house = accounts.number("ccp-capital")
    people = [n for n in range(len(accounts)) if accounts.kinds[n] in ("trading", "collateral", "default_fund")]
    rows = state.books.transfers[state.books.transfers["unit"] == money]
    came = rows[(rows["kind"] == int(Kind.DEPOSIT)) & (rows["to_account"] != house)]["quantity"].sum()
    went = rows[rows["kind"] == int(Kind.WITHDRAW)]["quantity"].sum()
    kept = state.books.balance(house, money) - rows[(rows["kind"] == int(Kind.DEPOSIT)) & (rows["to_account"] == house)]["quantity"].sum()
    sale = told().auction
    assert sale is not None
    assert sum(held[n, money] for n in people) == int(came) - int(went) - sale["paid_minor"] - int(kept)


def test_the_log_replays_and_audits_clean() -> None:
    again, replayed = fresh().admin, fresh().admin
    for entry in shown().entries:
        assert entry.is_intact() and again.audit(entry) == []
        replayed.replay(entry)
    assert again.state.hash() == replayed.state.hash() == shown().admin.state.hash() and told().differences == ()
    assert told().state_hash == shown().admin.state.hash().hex()


def test_what_is_told_names_an_entry_that_was_changed() -> None:
    """Somebody who owns the store lets the default cost less, and makes all hashes anew."""
    names = ("sequence", "command_id", "kind", "actor", "day", "outcome", "command", "events", "tables")
    forged: list[Entry] = []
    for entry in shown().entries:
        fields = {name: getattr(entry, name) for name in names}
        if entry.command_id == "default":
            fields["events"] = entry.events.replace(str(told().default["loss"]).encode(), b"1")  # type: ignore[index]
            assert fields["events"] != entry.events
        forged.append(Entry.chained(**fields, previous=forged[-1].hash if forged else GENESIS))
    place = next(entry.sequence for entry in forged if entry.command_id == "default")
    assert tell(tonne.rulebook(SYSTEM), floor(), forged).differences[0].startswith(f"entry {place} (declare_default default)")


# nothing changes it


ONE = """
import sys, tonne
from tonne.administration.clerk import Administration
from tonne.simulation.trading_day import DayInputs, run_day
from tonne.simulation.trading_floor import floor_of
book = tonne.rulebook("eu-ets")
admin = Administration(book, book.system.begins)
run_day(lambda: admin, lambda command: admin.handle(command)[0], DayInputs(floor_of(book, 2026), 50, 1))
print(admin.state.hash().hex(), admin.hash.hex())
"""


def test_the_same_day_in_every_process() -> None:
    for seed in ("0", "77"):
        environment = os.environ | {"PYTHONPATH": str(SRC), "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", ONE], capture_output=True, text=True, env=environment, timeout=120)
        assert done.stdout.split() == [shown().admin.state.hash().hex(), shown().admin.hash.hex()], done.stderr[-2000:]


def test_another_seed_is_another_day() -> None:
    assert run(12, 2).admin.state.hash() != run(12, 3).admin.state.hash()


def test_a_day_that_was_interrupted_ends_with_the_same_log() -> None:
    whole = run(12, 5)
    base = fresh()
    cuts = set(np.linspace(0, len(whole.entries) - 1, 25).astype(int).tolist())
    for place, entry in enumerate(whole.entries):
        if place in cuts:
            other = fresh()
            if place:
                other.admin.restore(base.admin.snapshot())
            run_day(lambda other=other: other.admin, other.send, DayInputs(floor(), 12, 5))
            assert other.admin.hash == whole.admin.hash, entry.command_id
            assert other.admin.state.hash() == whole.admin.state.hash()
            assert len(other.entries) == len(whole.entries) - place  # what is stored is not done again
        base.admin.replay(entry)


def test_a_log_of_another_day_is_refused() -> None:
    day = run(12, 5)
    before = day.admin.hash
    for inputs in (DayInputs(floor(), 12, 6), DayInputs(floor(), 13, 5), DayInputs(floor_of(tonne.rulebook(SYSTEM), YEAR, Decimal("70.00")), 12, 5)):
        with pytest.raises(RunRefused, match="another day"):
            run_day(lambda: day.admin, day.send, inputs)
    assert day.admin.hash == before


def test_ids_are_used_once_and_are_known_beforehand() -> None:
    steps = list(TradingDay(lambda: shown().admin, DayInputs(floor(), 50, 1)).steps())
    ids = [step.id for step in steps]
    assert len(ids) == len(set(ids)) and {entry.command_id for entry in shown().entries} <= set(ids)
    assert [step.day for step in steps] == sorted(step.day for step in steps)


@pytest.mark.parametrize("system", ["uk-ets", "k-ets", "california", "china-national-ets"])
def test_other_systems_have_such_a_day_too(system: str) -> None:
    day = run(14, 3, system)
    found = tell(tonne.rulebook(system), floor(system), day.entries)
    assert all(found.adds_up.values()) and found.differences == ()
    assert found.default is not None and all(row["used"] > 0 for row in found.default["waterfall"])
    assert (found.auction is None) == (system == "china-national-ets")
    assert Counter(pause["what"] for pause in found.pauses) == {"volatility_call": 2, "halt": 2}


def test_what_cannot_be_is_said() -> None:
    for participants in (11, 501):
        with pytest.raises(ValueError, match="12 to 500"):
            DayInputs(floor(), participants, 1)
    with pytest.raises(ValueError, match="above zero"):
        floor_of(tonne.rulebook(SYSTEM), YEAR, Decimal(0))
