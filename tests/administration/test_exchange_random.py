"""Anything in any order: whatever is sent, the answer is a yes or a named no, and what must hold holds. The seeds are fixed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from small_exchanges import FAMILY, check, exchange, future, instructions, option, spot
from small_markets import Desk

from tonne.administration import cover
from tonne.administration.clerk import Administration
from tonne.ledger import TRANSFER, AccountFlag, TransferFlag
from tonne.market.orders import Lasting, OrderKind, SelfTrade, Verb

PEOPLE = ("anna", "ben", "cleo", "dora")


class Driver:
    """Draws verbs and sends them; every answer must be one of the names there are."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.desk = exchange(PEOPLE, 20_000, "2000000", "300000")
        spot(self.desk, "slow", settlement_lag=1, price_limit="0.30")
        spot(self.desk, "choice", matching="takers_choice", resale_lag=1)
        future(self.desk, "fut2", expiry="2026-04-13", fee="1.25")
        option(self.desk, "call", "call", "82.00")
        option(self.desk, "put", "put", "80.00", under="fut2", expiry="2026-03-12", premium="futures_style")
        self.instruments = len(self.desk.state.exchange.listed)
        self.accounts = [f"t:{who}" for who in PEOPLE]
        self.answers: dict[str, int] = {}

    @property
    def state(self) -> Any:
        return self.desk.state

    def step(self) -> None:
        verbs = [self.batch] * 10 + [self.transfer, self.bulk, self.withdraw, self.deposit, self.flags, self.report, self.settle, self.buy_in]
        verbs += [self.close, self.collect, self.expire, self.default, self.phase, self.margin, self.next_day, self.cancel, self.propose]
        verbs += [self.fail, self.fail, self.end, self.next_day]
        self.rng.choice(verbs)()

    def send(self, verb: str, by: str = "venue", tables: dict[str, Any] | None = None, **body: Any) -> bool:
        reply = self.desk.send(self.desk.command(verb, by, tables=tables, **body))
        self.answers[f"{verb}: {reply.outcome}"] = self.answers.get(f"{verb}: {reply.outcome}", 0) + 1
        return reply.accepted

    def who(self) -> str:
        return self.rng.choice(PEOPLE)

    def account(self) -> str:
        own = ("set-aside", "ccp", "ccp-capital", "outside", "bank", "treasury")
        return self.rng.choice([*self.accounts * 3, f"collateral:t:{self.who()}", f"position:t:{self.who()}", f"default_fund:t:{self.who()}", *own])

    def number(self, name: str) -> int:
        return int(self.state.accounts.number(name))

    # -- orders

    def batch(self) -> None:
        rng, book = self.rng, self.state.exchange.book
        highest = book.highest
        rows = []
        at = (self.state.today.toordinal() - 719_163) * 86_400_000_000
        for _ in range(rng.choice([1, 1, 2, 5, 20])):
            highest += 1
            instrument = rng.randrange(self.instruments)
            listing = self.state.exchange.listed[instrument]
            middle = int(self.state.exchange.marks[instrument]) or 200
            small = 1 if listing["settlement"] == "margined" else 100
            row = {
                "account": self.number(rng.choice(self.accounts)),
                "instrument": instrument,
                "order": highest,
                "side": rng.choice([0, 1]),
                "price": max(1, middle + rng.randint(-40, 40)),
                "quantity": small * rng.choice([1, 3, 10, 60, 400]),
                "time": max(at, book.last_time),
                "verb": Verb.NEW,
            }
            kind = rng.random()
            if kind < 0.25 and highest > 2:
                row |= {"verb": rng.choice([Verb.CANCEL, Verb.AMEND, Verb.AMEND]), "order": rng.randint(max(1, highest - 12), highest)}
                owner = self.state.exchange.owner["account"]
                row["account"] = int(owner[row["order"]]) if row["order"] <= book.highest else rows[-1]["account"] if rows else row["account"]
                row["price"] = rng.choice([0, row["price"], row["price"] * 2])
                row["quantity"] = rng.choice([0, row["quantity"], row["quantity"] * 50])
                row["instrument"] = rng.choice([row["instrument"], -1, 0])
            elif kind < 0.40:
                row |= {"verb": Verb.TAKE, "against": rng.randint(max(1, highest - 12), highest), "instrument": 3, "price": 0}
            elif kind < 0.46:
                row |= {"kind": rng.choice(list(OrderKind)), "stop": rng.choice([0, middle])}
                if row["kind"] in (OrderKind.MARKET, OrderKind.STOP):
                    row["price"] = 0
            elif kind < 0.50:
                row |= {"lasting": rng.choice([Lasting.IOC, Lasting.FOK, Lasting.GTC]), "self_trade": rng.choice(list(SelfTrade))}
            elif kind < 0.53:
                row |= {"display": row["quantity"] // 10}
            elif kind < 0.56:
                row |= {
                    "verb": rng.choice([Verb.KILL, Verb.REVIVE, Verb.MASS_CANCEL, Verb.EXPIRE]),
                    "instrument": -1,
                    "expires": at // 86_400_000_000,
                }
            elif kind < 0.60:
                wild = rng.choice(["price", "quantity", "instrument", "account", "order", "against"])
                row |= {wild: rng.choice([-1, 2**31 - 1]), "side": rng.choice([-1, 0, 1, 9])}
            rows.append(row)
        self.send("orders", tables={"instructions": instructions(*rows)})

    def cancel(self) -> None:
        self.batch()
        self.send("orders", orders=[{"verb": "revive", "account": account} for account in self.accounts])
        self.batch()

    def phase(self) -> None:
        phase = self.rng.choice(["opening_call", "continuous", "continuous", "continuous", "halt", "closing_call"])
        self.send("orders", orders=[{"verb": "phase", "phase": phase, "instrument": self.rng.choice(self.state.exchange.listed)["code"]}])

    def report(self) -> None:
        legs = []
        for _ in range(self.rng.choice([1, 1, 3])):
            listing = self.rng.choice(self.state.exchange.listed)
            lots = self.rng.choice([1, 10, 60]) * (1 if listing["settlement"] == "margined" else 100)
            mark = int(self.state.exchange.marks[listing_number(self.state, listing)]) or 200
            buyer, seller = self.rng.choice(self.accounts), self.rng.choice(self.accounts)
            price = f"{mark // 100}.{mark % 100:02}"
            legs.append({"instrument": listing["code"], "buyer": buyer, "seller": seller, "price": price, "quantity": lots})
        self.send("report_trade", method="exchange_for_physical", legs=legs)

    def propose(self) -> None:
        name = f"p{self.rng.randrange(10**9)}"
        one, two = self.who(), self.who()
        body = {"instrument": self.rng.choice(["spot", "fut", "call"]), "price": "80.00", "quantity": self.rng.choice([10, 100])}
        self.send("propose_trade", by=one, proposal=name, account=f"t:{one}", counterparty=f"t:{two}", side="buy", **body)
        if self.rng.random() < 0.7:
            self.send("answer_trade", by=two, proposal=name, answer="accept", price="80.00", quantity=body["quantity"])

    # -- the ledger's own ways

    def transfer(self) -> None:
        unit = self.rng.choice(["EUA", "EUR", "EUR", "fut", "call"])
        source, target = (self.account(), self.account()) if self.rng.random() < 0.3 else (f"t:{self.who()}", f"t:{self.who()}")
        body = {"from_": source, "to": target, "unit": unit, "quantity": self.rng.choice([1, 500, 10_000, 10_000_000])}
        self.send("transfer", by=self.rng.choice(["administrator", *PEOPLE]), **body)

    def bulk(self) -> None:
        rows = np.zeros(self.rng.choice([1, 3]), dtype=TRANSFER)
        ids = self.state.exchange.cover_id
        ids = [*ids[ids > 0].tolist(), 0, 1]
        for row in rows:
            row["from_account"], row["to_account"] = self.number(self.account()), self.number(self.account())
            row["unit"], row["quantity"] = self.rng.randrange(len(self.state.books.unit_types)), self.rng.choice([0, 1, 5_000, 2**62])
            flags = self.rng.choice([0, TransferFlag.PENDING, TransferFlag.VOID, TransferFlag.POST, TransferFlag.BY_AUTHORITY, TransferFlag.LINKED])
            row["flags"] = int(flags)
            if flags in (TransferFlag.VOID, TransferFlag.POST):
                row["reference"] = self.rng.choice(ids)
        self.send("transfer", by=self.rng.choice(["administrator", *PEOPLE]), tables={"transfers": rows})

    def withdraw(self) -> None:
        who = self.who()
        account = self.rng.choice([f"t:{who}", f"collateral:t:{who}", f"collateral:t:{who}", f"default_fund:t:{who}", "ccp-capital"])
        amount = self.rng.choice(["1.00", "50000.00", "290000.00"])
        self.send("withdraw", by=self.rng.choice([who, who, "venue", "administrator"]), account=account, amount=amount, currency="EUR")

    def deposit(self) -> None:
        amount = self.rng.choice(["1.00", "50000.00", "250000.00"])
        self.send("deposit", by="bank", account=self.account(), amount=amount, currency="EUR")

    def flags(self) -> None:
        names = self.rng.sample([flag.name for flag in AccountFlag if flag.name], self.rng.choice([0, 0, 0, 1, 2]))
        self.send("set_account_flags", by="administrator", account=self.account(), flags=names)
        if self.rng.random() < 0.7:
            for account in self.accounts:
                self.send("set_account_flags", by="administrator", account=account, flags=[])

    # -- the venue

    def settle(self) -> None:
        self.send("settle")

    def buy_in(self) -> None:
        due = self.state.exchange.due
        number = int(self.rng.choice(due["number"].tolist())) if len(due) else 1
        failing, price = self.rng.choice(["buyer", "seller"]), self.rng.choice(["60.00", "80.00", "100.00"])
        self.send("buy_in", number=number, failing=failing, price=price, fee="10.00")

    def close(self) -> None:
        prices = {}
        for code in ("fut", "fut2"):
            if self.rng.random() < 0.5:
                prices[code] = f"{self.rng.randint(70, 95)}.{self.rng.randint(10, 99)}"
        self.send("close_day", prices=prices, window_minutes=self.rng.choice([0, 10]))

    def fail(self) -> None:
        """An agreement for tomorrow, of which one side is stopped when it comes."""
        buyer, seller = self.rng.sample(self.accounts, 2)
        body = {"instrument": "slow", "buyer": buyer, "seller": seller, "price": "80.00", "quantity": self.rng.choice([10, 5_000])}
        self.send("report_trade", method="over_the_counter", **body)
        stopped = self.rng.choice([buyer, seller])
        self.send("orders", orders=[{"verb": "kill", "account": stopped}])
        flag = self.rng.choice(["BLOCKED", "CLOSED", "ONE_WAY"])
        self.send("set_account_flags", by="administrator", account=stopped, flags=[flag])
        self.next_day()
        self.send("settle")
        self.buy_in()
        self.send("set_account_flags", by="administrator", account=stopped, flags=[])
        self.send("orders", orders=[{"verb": "revive", "account": stopped}])

    def end(self) -> None:
        """On and past the days on which contracts end."""
        if self.rng.random() < 0.5:
            self.next_day()
        for listing in self.state.exchange.listed:
            if listing["expiry"] is not None and listing["expiry"] <= self.state.today.isoformat():
                body = {"price": self.rng.choice(["70.00", "95.00"])} if self.rng.random() < 0.5 else {}
                self.send("expire_instrument", instrument=listing["code"], **body)

    def collect(self) -> None:
        self.send("collect")

    def expire(self) -> None:
        code = self.rng.choice(self.state.exchange.listed)["code"]
        body = {"price": self.rng.choice(["70.00", "95.00"])} if self.rng.random() < 0.5 else {}
        self.send("expire_instrument", instrument=code, **body)

    def margin(self) -> None:
        scan = self.rng.choice(["6.00", "3.00", "9.00"])
        self.send("set_margin", families=[FAMILY | {"price_scan": scan}])

    def next_day(self) -> None:
        if self.rng.random() < 0.6:
            self.close()
            day = self.state.today + timedelta(days=self.rng.choice([1, 1, 3]))
            self.send("deposit", by="bank", day=day, account="ccp-capital", amount="1.00", currency="EUR")

    def default(self) -> None:
        floor = self.state.exchange
        owing = [number for number in range(len(PEOPLE)) if floor.owed[number].any()] or [self.rng.randrange(len(PEOPLE))]
        member = self.rng.choice(owing)
        account = self.accounts[member]
        self.send("orders", orders=[{"verb": "kill", "account": account}])
        if self.rng.random() < 0.7:
            self.close()
        columns: dict[str, list[Any]] = {"instrument": [], "account": [], "lots": [], "price": []}
        for number in np.flatnonzero(floor.position[member]).tolist():
            mark = max(int(floor.marks[number]), 1)
            other = self.rng.choice([one for one in self.accounts if one != account])
            for name, value in zip(columns, (floor.listed[number]["code"], other, abs(int(floor.position[member, number])), mark), strict=True):
                columns[name].append(f"{value // 100}.{value % 100:02}" if name == "price" else value)
        tables = {"takers": columns} if columns["lots"] else {}
        self.send("declare_default", account=account, assessment_multiple=self.rng.choice(["0", "1"]), tables=tables)


def listing_number(state: Any, listing: Any) -> int:
    return int(state.exchange.number(listing["code"]))


def replayed(desk: Desk) -> None:
    """The log without refusals decided again would take long; it is replayed, and every tenth run audited."""
    fresh = Administration(desk.rulebook, desk.rulebook.system.begins)
    for entry in desk.entries:
        fresh.replay(entry)
    assert fresh.state.hash() == desk.state.hash()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_sent_the_exchange_answers_and_adds_up(seed: int) -> None:
    driver = Driver(seed)
    for _ in range(150):
        driver.step()
        check(driver.desk)
    replayed(driver.desk)
    if seed == 0:
        driver.desk.check()


# -- a day with many


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_look_at_a_batch_refuses_what_the_careful_one_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(seed + 50)
    for _ in range(30):
        driver.batch()
    rng, state = np.random.default_rng(seed), driver.state
    rows = np.zeros(2_000, dtype=instructions({}).dtype)
    rows["order"] = state.exchange.book.highest + 1 + np.arange(len(rows))
    rows["account"] = rng.choice([driver.number(one) for one in driver.accounts], 2_000)
    rows["instrument"], rows["side"], rows["price"] = 2 * rng.integers(0, 2, 2_000), rng.integers(0, 2, 2_000), 8_000 + rng.integers(-50, 50, 2_000)
    rows["quantity"] = rng.choice([0, 1, 50, 400, 2**31 - 1], 2_000)
    quick = cover.uncovered(state, rows, state.today_number)
    monkeypatch.setattr(cover, "MANY", len(rows) + 1)
    careful = cover.uncovered(state, rows, state.today_number)
    assert quick.tolist() == careful.tolist()
    assert 0 < np.count_nonzero(quick) < len(rows)


def test_a_day_of_fifty_members_adds_up_after_every_batch() -> None:
    members = tuple(f"m{number:02}" for number in range(50))
    desk = exchange(members, 100_000, "5000000", "2000000")
    spot(desk, "slow", settlement_lag=1)
    rng = np.random.default_rng(4)
    numbers = np.array([desk.state.accounts.number(f"t:{name}") for name in members])
    floor = desk.state.exchange
    at = (desk.state.today.toordinal() - 719_163) * 86_400_000_000 + 9 * 3_600_000_000
    traded = 0
    for batch in range(12):
        rows = np.zeros(300, dtype=instructions({}).dtype)
        rows["order"] = floor.book.highest + 1 + np.arange(300)
        rows["account"], rows["instrument"] = rng.choice(numbers, 300), rng.integers(0, 3, 300)
        margined = rows["instrument"] == 1
        rows["side"] = rng.integers(0, 2, 300)
        rows["price"] = 8_000 + 100 * margined + rng.integers(-15, 16, 300)
        rows["quantity"] = np.where(margined, rng.integers(1, 30, 300), 100 * rng.integers(1, 30, 300))
        rows["time"] = at + batch * 1_000_000 + np.arange(300)
        cancels = np.flatnonzero(rng.random(300) < 0.2) if batch else np.zeros(0, dtype=int)
        rows["order"][cancels] = rng.integers(1, floor.book.highest + 1, len(cancels))
        rows["account"][cancels] = floor.owner["account"][rows["order"][cancels]]
        rows["verb"][cancels] = rng.choice([int(Verb.CANCEL), int(Verb.AMEND)], len(cancels))
        rows["quantity"][cancels[rows["verb"][cancels] == Verb.CANCEL]] = 0
        reply = desk.send(desk.command("orders", "venue", tables={"instructions": rows}))
        assert reply.accepted, reply.reason
        traded += reply.events[0]["executions"].get("trade", 0)
        check(desk)
    assert traded > 500
    desk.accept("close_day", by="venue")
    check(desk)
    assert not len(floor.book.open_orders())
    desk.accept("settle", by="venue", day="2026-03-03")
    check(desk)
    assert not len(floor.due)
    total = sum(desk.held(f"t:{name}") for name in members)
    assert total == 50 * 100_000
    money = sum(desk.held(f"{kind}t:{name}", "EUR") for name in members for kind in ("", "collateral:"))
    assert money == 50 * 7_000_000_00 - desk.held("ccp", "EUR") - desk.held("ccp-capital", "EUR")
    desk.check()
