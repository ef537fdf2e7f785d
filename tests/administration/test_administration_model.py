"""Random commands - right, wrong, repeated, late, by the wrong people - against a model in plain dicts that says what each will be answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, ClassVar

import polars as pl
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from small_markets import Desk, eu

from tonne.administration.commands import Command

ROLES = {"administrator": "administrator", "mia": "administrator", "alice": "operator", "bob": "operator", "tom": "trader"} | {
    "vera": "verifier",
    "axel": "auctioneer",
    "paula": "public",
}
MAY = {
    "transfer": {"administrator", "operator", "trader"},
    "cancel": {"administrator", "operator", "trader"},
    "report": {"administrator", "operator"},
    "verify": {"administrator", "verifier"},
    "surrender": {"administrator", "operator"},
    "sell": {"administrator", "auctioneer"},
    "open_account": {"administrator", "operator", "trader", "auctioneer"},
    "set_account_flags": {"administrator"},
}
KINDS_HELD = {"operator", "trading", "remainder", "cash"}
PEOPLE = st.sampled_from(["administrator"] * 8 + ["alice", "alice", "bob", "tom", "tom", "nobody", *ROLES])
ACCOUNTS = st.sampled_from(["operator:A1"] * 3 + ["operator:B1", "tom-1", "tom-1", "new-1", "new-2", "surrendered", "auction", "nowhere"])
QUANTITIES = st.sampled_from([1, 1, 1, 2, 2, 7, 100, 499, 1_000, 10_001, 0, -1, None, "5"])
UNITS = st.sampled_from(["EUA", "EUA", "EUA", "EUR", "EUX"])
DAYS = st.sampled_from([0] * 16 + [1, 460, 460, -1])
INSTALLATIONS = st.sampled_from(["A1", "A1", "B1", "Q9"])
YEARS = st.sampled_from([2019, 2019, 2020])


class Refused(Exception):
    pass


@dataclass
class Account:
    kind: str
    holder: str
    flags: frozenset[str] = frozenset()


@dataclass
class Model:
    today: date
    accounts: dict[str, Account] = field(default_factory=dict)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    reports: dict[tuple[str, int], str] = field(default_factory=dict)

    def answer(self, command: Command) -> str:
        """The outcome; changes the model where it is `accepted`."""
        try:
            if command.day < self.today:
                raise Refused("day_out_of_order")
            role = ROLES.get(command.by) or ("operator" if any(a.holder == command.by for a in self.accounts.values()) else "")
            if not role:
                raise Refused("unknown_participant")
            if role not in MAY[command.kind]:
                raise Refused("not_permitted")
            getattr(self, command.kind)(command, dict(command.body), role == "administrator")
        except Refused as refusal:
            return str(refusal)
        self.today = command.day
        return "accepted"

    def account(self, name: str) -> Account:
        if name not in self.accounts:
            raise Refused("unknown_account")
        return self.accounts[name]

    def move(self, source: str, target: str, unit: str, quantity: int, authority: bool = False) -> None:
        giver, taker = self.accounts[source], self.accounts[target]
        if source == target:
            raise Refused("same_account")
        if "CLOSED" in giver.flags:
            raise Refused("from_account_closed")
        if "CLOSED" in taker.flags:
            raise Refused("to_account_closed")
        for flag, name in (("BLOCKED", "account_blocked"), ("ONE_WAY", "account_one_way")):
            if flag in giver.flags and not authority:
                raise Refused(name)
        if giver.kind not in ("issuance", "outside", "cash") and self.held[source, unit] < quantity:
            raise Refused("insufficient_balance")
        self.held[source, unit] -= quantity
        self.held[target, unit] += quantity

    def own(self, command: Command, account: Account, authority: bool) -> None:
        if not authority and account.holder != command.by:
            raise Refused("not_permitted")

    def unit(self, unit: str) -> None:
        if unit not in ("EUA", "EUR"):
            raise Refused("unknown_unit_type")

    def whole(self, quantity: Any) -> None:
        if type(quantity) is not int or quantity < 1:
            raise Refused("malformed")

    def transfer(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        source, target = self.account(body["from"]), self.account(body["to"])
        self.own(command, source, authority)
        if not authority and target.kind not in KINDS_HELD:
            raise Refused("not_permitted")
        self.unit(body["unit"])
        self.whole(body["quantity"])
        self.move(body["from"], body["to"], body["unit"], body["quantity"])

    def cancel(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        self.own(command, self.account(body["from"]), authority)
        self.unit(body["unit"])
        self.whole(body["quantity"])
        if body["unit"] == "EUR":
            raise Refused("not_eligible")
        self.move(body["from"], "cancelled", body["unit"], body["quantity"])

    def row(self, command: Command, table: str, figure: str) -> tuple[str, int, Any]:
        installation, year, value = command.tables[table].select("installation", "year", figure).row(0)  # type: ignore[union-attr]
        if value is None or value < 0:
            raise Refused("malformed")
        if installation not in ("A1", "B1"):
            raise Refused("unknown_installation")
        return installation, year, value

    def report(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        installation, year, _ = self.row(command, "reports", "emissions")
        self.own(command, self.accounts[f"operator:{installation}"], authority)
        if not authority and command.day > date(year + 1, 3, 31):
            raise Refused("after_deadline")
        if self.reports.get((installation, year)) == "verified":
            raise Refused("already_verified")
        self.reports[installation, year] = "reported"

    def verify(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        installation, year, _ = self.row(command, "reports", "verified")
        if self.reports.get((installation, year)) == "verified":
            raise Refused("already_verified")
        if not authority and (installation, year) not in self.reports:
            raise Refused("not_reported")
        if not authority and command.day > date(year + 1, 3, 31):
            raise Refused("after_deadline")
        self.reports[installation, year] = "verified"

    def surrender(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        installation, quantity = command.tables["surrenders"].row(0)  # type: ignore[union-attr]
        if quantity is None or quantity < 1:
            raise Refused("malformed")
        if installation not in ("A1", "B1"):
            raise Refused("unknown_installation")
        account = f"operator:{installation}"
        self.own(command, self.accounts[account], authority)
        if self.held[account, "EUA"] < quantity:
            raise Refused("insufficient_balance")
        self.move(account, "surrendered", "EUA", quantity, authority=True)

    def sell(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        self.unit(body["unit"])
        buyer, quantity = command.tables["sales"].row(0)  # type: ignore[union-attr]
        if quantity is None or quantity < 1:
            raise Refused("malformed")
        if self.account(buyer).kind not in KINDS_HELD and not authority:
            raise Refused("not_permitted")
        if body.get("price") == "NaN":
            raise Refused("malformed")
        before = self.held.copy()
        try:
            if body.get("price"):
                cost = int(body["price"].replace(".", "")) * quantity
                if body.get("paid_in"):
                    self.move("bank", buyer, "EUR", cost)
                self.move(buyer, "treasury", "EUR", cost)
            self.move("auction", buyer, body["unit"], quantity)
        except Refused:
            self.held = before
            raise

    def open_account(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        holder = body.get("holder", command.by)
        if body["kind"] == "purse":
            raise Refused("malformed")
        if not authority and (holder != command.by or body["kind"] != "trading" or body["account"].startswith("operator:")):
            raise Refused("not_permitted")
        if holder == "nobody":
            raise Refused("unknown_participant")
        if body["account"] in self.accounts:
            raise Refused("already_exists")
        self.accounts[body["account"]] = Account(body["kind"], holder)

    def set_account_flags(self, command: Command, body: dict[str, Any], authority: bool) -> None:
        account = self.account(body["account"])
        if "RED" in body["flags"]:
            raise Refused("malformed")
        flags = frozenset(body["flags"])
        if flags == account.flags:
            raise Refused("nothing_to_do")
        account.flags = flags


@cache
def begun() -> Desk:
    desk = eu()
    desk.accept("open_balance", account="tom-1", unit="EUR", quantity=100_000, source="a bank")
    return desk


class Market(RuleBasedStateMachine):
    outcomes: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.desk: Desk = begun().copy()
        state = self.desk.state
        self.model = Model(state.today)
        for name, kind, holder in zip(state.accounts.ids, state.accounts.kinds, state.accounts.holders, strict=True):
            self.model.accounts[name] = Account(kind, holder)
            for unit in ("EUA", "EUR"):
                self.model.held[name, unit] = self.desk.held(name, unit)
        self.sent: list[tuple[Command, str]] = []

    def send(self, kind: str, by: str, shift: int, body: dict[str, Any], tables: dict[str, Any] | None = None) -> None:
        frames = {name: pl.DataFrame(rows, schema_overrides=_TYPES) for name, rows in (tables or {}).items()}
        command = Command(f"c{len(self.sent)}", kind, by, self.model.today + timedelta(days=shift), body, frames)
        self.judge(command)

    def judge(self, command: Command) -> None:
        sequence = self.desk.admin.sequence
        wanted = self.model.answer(command)
        reply = self.desk.send(command)
        assert reply.outcome == wanted, f"{command}: {reply.outcome} ({reply.reason}), the model says {wanted}"
        assert self.desk.admin.sequence == sequence + 1
        self.sent.append((command, wanted))
        Market.outcomes[wanted] += 1

    @rule(by=PEOPLE, shift=DAYS, source=ACCOUNTS, to=ACCOUNTS, unit=UNITS, quantity=QUANTITIES)
    def transfer(self, by: str, shift: int, source: str, to: str, unit: str, quantity: Any) -> None:
        self.send("transfer", by, shift, {"from": source, "to": to, "unit": unit, "quantity": quantity})

    @rule(shift=DAYS, to=ACCOUNTS, quantity=QUANTITIES)
    def transfer_of_ones_own(self, shift: int, to: str, quantity: Any) -> None:
        self.send("transfer", "alice", shift, {"from": "operator:A1", "to": to, "unit": "EUA", "quantity": quantity})

    @rule(by=PEOPLE, shift=DAYS, source=ACCOUNTS, unit=UNITS, quantity=QUANTITIES)
    def cancel(self, by: str, shift: int, source: str, unit: str, quantity: Any) -> None:
        self.send("cancel", by, shift, {"from": source, "unit": unit, "quantity": quantity, "reason": "a test"})

    @rule(by=PEOPLE, shift=DAYS, installation=INSTALLATIONS, year=YEARS, emissions=st.sampled_from([0, 5, 500, -1, None]))
    def report(self, by: str, shift: int, installation: str, year: int, emissions: Any) -> None:
        self.send("report", by, shift, {}, {"reports": {"installation": [installation], "year": [year], "emissions": [emissions]}})

    @rule(
        by=st.sampled_from(["vera", "vera", "administrator", "alice"]), shift=DAYS, installation=INSTALLATIONS, year=YEARS, verified=st.integers(0, 9)
    )
    def verify(self, by: str, shift: int, installation: str, year: int, verified: int) -> None:
        self.send("verify", by, shift, {}, {"reports": {"installation": [installation], "year": [year], "verified": [verified]}})

    @rule(by=PEOPLE, shift=DAYS, installation=INSTALLATIONS, year=YEARS, quantity=st.sampled_from([1, 10, 600, 2_000, 0, None]))
    def surrender(self, by: str, shift: int, installation: str, year: int, quantity: Any) -> None:
        self.send("surrender", by, shift, {"year": year}, {"surrenders": {"installation": [installation], "quantity": [quantity]}})

    @rule(
        by=st.sampled_from(["axel", "axel", "administrator", "tom"]),
        shift=DAYS,
        buyer=ACCOUNTS,
        unit=UNITS,
        quantity=st.sampled_from([1, 3, 40, 20_000, 0]),
        price=st.sampled_from([None, "10.00", "24.85", "NaN"]),
        paid_in=st.booleans(),
    )
    def sell(self, by: str, shift: int, buyer: str, unit: str, quantity: int, price: str | None, paid_in: bool) -> None:
        body = {"unit": unit, "paid_in": paid_in} | ({"price": price} if price else {})
        self.send("sell", by, shift, body, {"sales": {"account": [buyer], "quantity": [quantity]}})

    @rule(by=PEOPLE, shift=DAYS, account=ACCOUNTS, kind=st.sampled_from(["trading", "trading", "cash", "purse"]), holder=st.none() | PEOPLE)
    def open_account(self, by: str, shift: int, account: str, kind: str, holder: str | None) -> None:
        self.send("open_account", by, shift, {"account": account, "kind": kind} | ({"holder": holder} if holder else {}))

    @rule(
        by=st.sampled_from(["administrator"] * 4 + ["mia", "alice"]),
        shift=DAYS,
        account=st.sampled_from(["operator:A1"] * 3 + ["operator:B1", "tom-1", "new-1", "nowhere"]),
        flags=st.sampled_from([[], [], ["BLOCKED"], ["ONE_WAY"], ["CLOSED"], ["BLOCKED", "ONE_WAY"], ["RED"]]),
    )
    def set_account_flags(self, by: str, shift: int, account: str, flags: list[str]) -> None:
        self.send("set_account_flags", by, shift, {"account": account, "flags": flags})

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        command, outcome = data.draw(st.sampled_from(self.sent))
        sequence = self.desk.admin.sequence
        reply = self.desk.send(command)
        assert (reply.outcome, reply.repeated) == (outcome, True)
        other = Command(command.id, command.kind, command.by, command.day + timedelta(days=1), command.body, command.tables)
        assert self.desk.send(other).outcome == "exists_with_different_content"
        assert self.desk.admin.sequence == sequence

    @invariant()
    def the_books_agree(self) -> None:
        self.desk.state.books.check()
        assert self.desk.state.today == self.model.today
        for (account, unit), quantity in self.model.held.items():
            assert self.desk.held(account, unit) == quantity, (account, unit)

    def teardown(self) -> None:
        """A replay gives the same state; as it does nothing for what was refused or repeated, those left no trace."""
        self.desk.check()


_TYPES = {"quantity": pl.Int64, "emissions": pl.Int64, "verified": pl.Int64}
Market.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a walk is short enough to read; shrinking one takes minutes
)
TestMarket = Market.TestCase


def test_a_walk_that_meets_every_answer() -> None:
    """Chance may miss some; a model that predicts refusals nobody met would prove nothing."""
    market = Market()
    before = Counter(Market.outcomes)
    move = {"by": "alice", "shift": 0, "source": "operator:A1", "to": "tom-1", "unit": "EUA", "quantity": 1}
    for change in ({}, {"shift": -1}, {"by": "nobody"}, {"by": "vera"}, {"source": "nowhere"}, {"unit": "EUX"}, {"quantity": 0}):
        market.transfer(**move | change)
    market.transfer(**move | {"to": "operator:A1"})
    market.transfer(**move | {"quantity": 10_001})
    market.cancel(by="tom", shift=0, source="tom-1", unit="EUR", quantity=1)
    for flags in (["BLOCKED"], ["ONE_WAY"], ["CLOSED"], ["CLOSED"]):
        market.set_account_flags(by="administrator", shift=0, account="operator:A1", flags=flags)
        market.transfer(**move)
    market.transfer(**move | {"by": "tom", "source": "tom-1", "to": "operator:A1"})
    market.open_account(by="tom", shift=0, account="tom-1", kind="trading", holder=None)
    for by, installation in (("administrator", "Q9"), ("bob", "B1"), ("bob", "B1")):
        market.report(by=by, shift=0, installation=installation, year=2019, emissions=5)
    for by, installation in (("vera", "A1"), ("vera", "B1"), ("vera", "B1")):
        market.verify(by=by, shift=0, installation=installation, year=2019, verified=5)
    market.report(by="alice", shift=460, installation="A1", year=2019, emissions=5)
    market.the_books_agree()
    market.teardown()
    wanted = {"accepted", "day_out_of_order", "unknown_participant", "not_permitted", "unknown_account", "unknown_unit_type", "unknown_installation"}
    wanted |= {"malformed", "not_eligible", "same_account", "from_account_closed", "to_account_closed", "account_blocked", "account_one_way"}
    wanted |= {"insufficient_balance", "after_deadline", "already_verified", "not_reported", "already_exists", "nothing_to_do"}
    assert wanted - set(Market.outcomes - before) == set()
