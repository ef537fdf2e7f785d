"""A seeded flow of instructions that sees every verb, happening and reason: valid, invalid, repeated, late, killed, called, halted."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np

from tonne.market.orders import (
    Happening,
    Instruction,
    InstrumentRules,
    Lasting,
    Matching,
    OrderFlag,
    OrderKind,
    Phase,
    Reason,
    SelfTrade,
    Side,
    Verb,
    executions_of,
    instructions_of,
)

SEEN: Counter[tuple[str, int]] = Counter()


def rules() -> list[InstrumentRules]:
    """One instrument of each matching, one with limits and a breaker, one that begins before the opening."""
    return [
        InstrumentRules(largest_order=400),
        InstrumentRules(matching=Matching.PRO_RATA, seed=7),
        InstrumentRules(matching=Matching.SEEDED_RANDOM, seed=2**63 - 1, lowest_price=900, highest_price=1100),
        InstrumentRules(matching=Matching.TAKERS_CHOICE, reference=1000, lowest_accepted=950, highest_accepted=1050),
        InstrumentRules(reference=1000, lowest_accepted=960, highest_accepted=1040, breaker=5, phase=Phase.PRE_OPEN),
    ]


class Workload:
    """Draws instructions from a seed; `wild` is the share of those that make no sense."""

    def __init__(self, seed: int, accounts: int = 6, wild: float = 0.03) -> None:
        self.random = random.Random(seed)
        self.accounts, self.wild = accounts, wild
        self.number, self.time, self.day = 0, 10**15, 20_000
        self.sent: list[tuple[int, int, int]] = []  # number, account, instrument

    def next(self) -> Instruction:
        r = self.random
        self.time += r.choice([0, 1, 1, 5])
        draw = r.random()
        if draw < 0.60:
            i = self.new()
        elif draw < 0.74:
            number, account, _ = self.one_sent()
            i = Instruction(order=number, account=account, verb=Verb.CANCEL)
        elif draw < 0.84:
            number, account, _ = self.one_sent()
            i = Instruction(
                order=number, account=account, verb=Verb.AMEND, quantity=r.choice([0, 1, 3, 8, 30]), price=r.choice([0, 0, self.price()]),
                stop=r.choice([0, 0, 0, self.price()]),
            )  # fmt: skip
        elif draw < 0.93:
            i = self.take()
        else:
            i = self.rare()
        i = i._replace(time=r.choice([self.time, self.time, 0]))
        return self.spoil(i) if r.random() < self.wild else i

    def price(self) -> int:
        return 1000 + int(self.random.gauss(0, 6))

    def one_sent(self) -> tuple[int, int, int]:
        return self.random.choice(self.sent[-60:]) if self.sent else (1, 0, 0)

    def new(self) -> Instruction:
        r = self.random
        kind = r.choices(list(OrderKind), [12, 2, 2, 2])[0]
        lasting = r.choices(list(Lasting), [6, 2, 2, 2, 2])[0]
        instrument, side, quantity = r.randrange(5), r.randrange(2), r.randint(1, 40)
        limited = kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
        rests = lasting not in (Lasting.IOC, Lasting.FOK)
        if instrument == 3 and r.random() < 0.9:
            kind, limited, lasting, rests = OrderKind.LIMIT, True, Lasting.GTC, True
        iceberg = limited and rests and r.random() < 0.25 and instrument != 3
        post_only = kind == OrderKind.LIMIT and rests and r.random() < 0.15 and instrument != 3
        self.number += r.choice([1, 1, 1, 1, 3])
        account = r.randrange(self.accounts)
        self.sent.append((self.number, account, instrument))
        return Instruction(
            order=self.number, price=self.price() if limited else 0, stop=self.price() if kind in (OrderKind.STOP, OrderKind.STOP_LIMIT) else 0,
            quantity=quantity, display=r.randint(1, quantity) if iceberg else 0, account=account, instrument=instrument,
            expires=self.day + r.randint(0, 2) if lasting == Lasting.GTD else 0,
            flags=(OrderFlag.POST_ONLY if post_only else 0) | r.choice([0, 0x100]),
            verb=Verb.NEW, side=side, kind=kind, lasting=lasting, self_trade=r.choice(list(SelfTrade)),
        )  # fmt: skip

    def take(self) -> Instruction:
        r = self.random
        choices = [s for s in self.sent[-200:] if s[2] == 3] or [self.one_sent()]
        self.number += 1
        account = r.randrange(self.accounts)
        self.sent.append((self.number, account, 3))
        price = r.choice([0, 0, self.price()])
        return Instruction(
            order=self.number, price=price, quantity=r.randint(1, 30), against=r.choice(choices)[0], account=account, instrument=3, verb=Verb.TAKE,
            side=r.randrange(2), self_trade=r.choice([0, 0, 4]),
        )  # fmt: skip

    def rare(self) -> Instruction:
        r = self.random
        verb = r.choices([Verb.MASS_CANCEL, Verb.KILL, Verb.REVIVE, Verb.PHASE, Verb.REFERENCE, Verb.EXPIRE], [2, 1, 2, 12, 3, 1])[0]
        account, instrument = r.randrange(self.accounts), r.randrange(-1, 5)
        if verb == Verb.PHASE:
            phase = r.choices(list(Phase), [2, 2, 12, 2, 2, 1, 1, 1, 0.02])[0]
            if phase == Phase.EXPIRED:
                instrument = r.choice([0, 1])
            return Instruction(instrument=instrument, verb=verb, phase=phase)
        if verb == Verb.REFERENCE:
            reference = self.price()
            return Instruction(
                price=r.choice([0, reference]), stop=r.choice([0, reference - 15]), display=r.choice([0, reference + 15]),
                quantity=r.choice([0, 4, 8]), instrument=r.randrange(5), verb=verb,
            )  # fmt: skip
        if verb == Verb.EXPIRE:
            self.day += r.choice([0, 1])
            return Instruction(expires=self.day, instrument=instrument, verb=verb)
        return Instruction(account=account, instrument=instrument, verb=verb)

    def spoil(self, i: Instruction) -> Instruction:
        r = self.random
        field, values = r.choice(
            [
                ("order", [0, -1, 2**40, 1, max(1, self.number - 3)]), ("price", [0, -5, 1, 2**40, 3000, 2**22]),
                ("quantity", [0, -1, 401, 2**31, 2**31 - 1]),
                ("display", [1, -1, 10**6]), ("account", [-1, 2**24, 9]), ("instrument", [-2, 5, 99]), ("expires", [-1, 1]), ("flags", [2, -1, 1]),
                ("verb", [-1, 10]), ("side", [-1, 2]), ("kind", [-1, 4]), ("lasting", [-1, 5]), ("self_trade", [-1, 5]), ("phase", [-1, 9]),
                ("time", [1, -1]), ("stop", [-1, 5, 2**40]), ("against", [1, 10**9]),
            ]
        )  # fmt: skip
        return i._replace(**{field: r.choice(values)})

    def batch(self, n: int) -> Any:
        return instructions_of(self.next() for _ in range(n))


def note(rows: Any) -> None:
    """Count what was seen."""
    for happening, reason in zip(rows["happening"].tolist(), rows["reason"].tolist(), strict=True):
        SEEN["happening", happening] += 1
        SEEN["reason", reason] += 1


def never_seen() -> list[str]:
    return [h.name for h in Happening if not SEEN["happening", h]] + [r.name for r in Reason if not SEEN["reason", r]]


def same(what: str, ours: Any, theirs: Any) -> None:
    """Equal rows, or an AssertionError that shows the first that differ."""
    if ours.tobytes() == theirs.tobytes():
        return
    for n, (a, b) in enumerate(zip(executions_of(ours), executions_of(theirs), strict=False)):
        assert a == b, f"{what}, row {n} of {len(ours)} and {len(theirs)}:\n fast  {a}\n plain {b}"
    raise AssertionError(f"{what}: {len(ours)} rows and {len(theirs)}; the next is {executions_of(ours if len(ours) > len(theirs) else theirs)[-1]}")


def compare(fast: Any, plain: Any) -> None:
    """Everything that can be asked of the two."""
    assert fast.state_hash() == plain.state_hash()
    for n in range(fast.n_instruments):
        assert fast.best(n) == plain.best(n)
        assert fast.trade_price(n) == plain.trade_price(n)
        assert fast.phase(n) == plain.phase(n)
        for ours, theirs in zip(fast.depth(n, 7), plain.depth(n, 7), strict=True):
            assert np.array_equal(ours, theirs)


def check_books(book: Any) -> None:
    """What must hold whoever is right: in continuous trading nothing crosses; what is shown is at most what is left, and above zero unless a stop."""
    table = book.open_orders()
    assert (table["left"] > 0).all() and (table["shown"] <= table["left"]).all()
    assert ((table["shown"] > 0) | (table["kind"] >= OrderKind.STOP)).all()
    for n in range(book.n_instruments):
        best = book.best(n)
        if book.phase(n) == Phase.CONTINUOUS and n != 3 and best.buy and best.sell:
            assert best.buy < best.sell


def no_worse_than_its_limit(batch: Any, rows: Any, limits: dict[int, tuple[int, int]]) -> None:
    """Every trade's price is inside the limits of both orders, as they were sent (amendments: as last accepted)."""
    for row in executions_of(rows):
        if row.happening in (Happening.ACCEPTED, Happening.AMENDED, Happening.TRIGGERED):
            limits[row.order] = (row.side, row.price)
        if row.happening == Happening.TRADE:
            for number in (row.order, row.against):
                side, price = limits[number]
                assert price == 0 or (row.price <= price if side == Side.BUY else row.price >= price), row
