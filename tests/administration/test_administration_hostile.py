"""Nothing that a command can hold makes the clerk stumble: whatever comes is answered, and the market goes on."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from small_markets import Desk, eu

import tonne
from tonne.administration.commands import Command
from tonne.administration.handlers import HANDLERS
from tonne.administration.permissions import LAW, VERBS
from tonne.administration.refusals import REFUSALS
from tonne.ledger import transfers

WORDS = ["account", "amount", "by", "code", "country", "flags", "from", "grows", "holder", "installation", "kind", "mean_price", "measure", "name"]
WORDS += ["note", "paid_in", "parameter", "participant", "price", "quantity", "reason", "role", "scenario", "source", "system", "to", "unit", "value"]
WORDS += ["verified", "vintage", "volume", "year", "first_year", "verb", "body", "tables", "person", "moment", "proposal", "target", "until"]
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2013,
    2019,
    2020,
    10**9,
    2**62,
    2**63,
    10**40,
    "",
    " ",
    "x",
    "0",
    "1.5",
    "NaN",
    "1e400",
    "-inf",
    "EUA",
]
VALUES += [
    "EUR",
    "2019-01-01T11:00:00+01:00",
    "0001-01-01T00:00:00+14:00",
    "operator:A1",
    "tom-1",
    "A1",
    "auction",
    "treasury",
    "stability-reserve",
    "operator",
    "trading",
    "verifier",
    "2019-01-01",
    "2019-13-45",
]
VALUES += [
    "penalty.amount",
    "calendar.agenda",
    "stability.intake_rate",
    "obligation.surrender_share",
    "\u202e\u0000",
    "𓂀" * 50,
    [],
    [None],
    ["CLOSED"],
    {},
]
VALUES += [
    {"2019": 1},
    {"surrender": "+1 02-31"},
    {"x": {"y": []}},
    {"start": 2019, "value": "1", "until": 2021},
    [[[]]],
    Decimal("0.5"),
    date(2019, 1, 1),
]
VALUES += [1.5, float("inf"), datetime(2019, 1, 1, 12, tzinfo=UTC), b"bytes", {1, 2}, object()]  # these never reach a handler
TABLES = ["reports", "installations", "accounts", "entitlements", "activity", "surrenders", "sales", "rows", "transfers"]
COLUMNS = ["installation", "year", "emissions", "verified", "state", "quantity", "account", "kind", "holder", "name", "number", "from", "to", "unit"]
COLUMNS += ["day", "product", "owed", "surrendered", "status", "operator", "opened", "status"]
CELLS: list[list[Any]] = [[1, 2], [2019, 2019], [-5, 2**62], [None, None], ["A1", "B1"], ["A1", "A1"], ["tom-1", "auction"], ["EUA", None], ["", "x"]]
CELLS += [
    [1.5, float("nan")],
    [True, False],
    [date(2019, 1, 1), None],
    ["transfer", "gift"],
    [2**63 - 1, 1],
    ["verified", "excluded"],
    ["trading", "cash"],
]
CELLS += [[10**30, 1], [Decimal("1.5"), None], [[1], [2]], ["NaN", "7"]]


def some_command(chance: random.Random, number: int, desk: Desk) -> Command:
    verb = chance.choice(sorted(HANDLERS))
    by = LAW if VERBS[verb] == {LAW} else chance.choice(["administrator"] * 4 + ["alice", "axel", "vera", "tom"])
    plain = VALUES if chance.random() < 0.1 else VALUES[:-6]
    body = {word: chance.choice(plain) for word in chance.sample(WORDS, chance.randint(0, len(WORDS)))}
    tables: dict[str, Any] = {}
    for name in chance.sample(TABLES, chance.randint(0, 3)):
        columns = chance.sample(sorted(set(COLUMNS)), chance.randint(1, 8))
        try:
            tables[name] = pl.DataFrame({column: pl.Series(chance.choice(CELLS), strict=False) for column in columns})
        except Exception:  # not a table at all
            tables[name] = chance.choice(VALUES)
    if verb == "transfer" and chance.random() < 0.5:
        batch = transfers(chance.randint(0, 3))
        for field in batch.dtype.names or ():
            batch[field] = [chance.choice([0, 1, 2, 5, 12, 100]) for _ in batch]
        tables["transfers"] = batch
    day = desk.state.today + timedelta(days=chance.choice([0, 0, 0, 0, 0, 1, -1]))
    return Command(f"h{number}", verb, by, day, body, tables)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_is_answered(seed: int) -> None:
    chance = random.Random(f"hostile {seed}")
    desk = eu()
    answers: set[str] = set()
    for number in range(300):
        command = some_command(chance, number, desk)
        reply = desk.send(command)
        answers.add(reply.outcome)
        assert reply.accepted or reply.outcome in REFUSALS
        assert reply.accepted or reply.reason, command
    assert len(answers) > 5
    desk.check()


#: For each verb, a command that is right: one thing at a time is made wrong in it.
RIGHT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "register_participant": ({"participant": "zoe", "name": "Zoe", "role": "trader", "country": "XX"}, {}),
    "close_installation": ({"installation": "A1", "year": 2020}, {}),
    "open_account": ({"account": "z", "kind": "trading", "holder": "tom"}, {}),
    "set_account_flags": ({"account": "tom-1", "flags": ["BLOCKED"]}, {}),
    "add_unit_type": ({"code": "CER", "kind": "credit", "measure": "tonne", "vintage": 2012}, {}),
    "open_balance": ({"account": "tom-1", "unit": "EUA", "quantity": 5, "source": "s", "year": 2019}, {}),
    "auction_calendar": ({"year": 2019, "volume": 5, "source": "s"}, {}),
    "transfer": ({"from": "operator:A1", "to": "tom-1", "unit": "EUA", "quantity": 5}, {}),
    "cancel": ({"from": "operator:A1", "unit": "EUA", "quantity": 5, "reason": "r"}, {}),
    "amend": ({"parameter": "penalty.amount", "from": "2019-01-01", "value": 5, "source": "sss", "note": "n"}, {}),
    "sell": ({"from": "auction", "unit": "EUA", "price": "5.00", "paid_in": True}, {"sales": {"account": ["tom-1"], "quantity": [5]}}),
    "surrender": ({"year": 2019}, {"surrenders": {"installation": ["A1"], "quantity": [5]}}),
    "report": ({}, {"reports": {"installation": ["A1"], "year": [2019], "emissions": [5]}}),
    "verify": ({}, {"reports": {"installation": ["A1"], "year": [2019], "verified": [5], "state": ["verified"]}}),
    "entitle": ({}, {"entitlements": {"installation": ["A1"], "year": [2019], "quantity": [5]}}),
    "bring_forward": ({"year": 2018}, {"rows": {"installation": ["A1"], "owed": [5], "surrendered": [5], "status": ["A"]}}),
    "file_activity": ({}, {"activity": {"installation": ["A1"], "unit": ["u"], "year": [2019], "product": ["p"], "quantity": [5]}}),
    "open_accounts": ({}, {"accounts": {"account": ["z"], "kind": ["trading"], "holder": ["tom"], "installation": ["A1"]}}),
    "register_installations": ({}, {"installations": {"installation": ["Z"], "name": ["Z"], "operator": ["zed"], "opened": [2013]}}),
    "import_transfers": ({}, {"rows": {n: [v] for n, v in zip(["number", "from", "to", "unit", "quantity", "kind", "day"],
                                                                [1, "operator:A1", "tom-1", "EUA", 5, "transfer", 17_897], strict=True)}}),
    "propose": ({"verb": "transfer", "body": {"from": "operator:A1", "to": "tom-1", "unit": "EUA", "quantity": 5}, "tables": {}, "person": "p",
                 "moment": "2019-01-01T11:00:00+01:00", "reason": "r"}, {}),
    "trust_account": ({"account": "operator:A1", "target": "tom-1", "person": "p", "moment": "2019-01-01T11:00:00+01:00"}, {}),
    "freeze": ({"account": "tom-1", "reason": "r", "until": "2019-02-01T11:00:00+01:00", "person": "p", "moment": "2019-01-01T11:00:00+01:00"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(RIGHT))
def test_one_thing_wrong_at_a_time(verb: str) -> None:
    body, tables = RIGHT[verb]
    frames = {name: pl.DataFrame(columns) for name, columns in tables.items()}
    base = eu()
    assert base.copy().send(Command("right", verb, "administrator", base.state.today, body, frames)).accepted
    wrongs: list[tuple[dict[str, Any], dict[str, Any]]] = [(body | {name: value}, frames) for name in body for value in VALUES]
    for name, columns in tables.items():
        for column in columns:
            for cells in CELLS:
                changed = {other: [kept[0], kept[0]] for other, kept in columns.items()} | {column: pl.Series(cells, strict=False)}
                wrongs.append((body, {name: pl.DataFrame(changed)}))
            wrongs.append((body, {name: frames[name].drop(column)}))
    desk = base.copy()
    for number, (wrong_body, wrong_tables) in enumerate(wrongs):
        reply = desk.send(Command(f"w{number}", verb, "administrator", desk.state.today, wrong_body, wrong_tables))
        assert reply.accepted or (reply.outcome in REFUSALS and reply.reason)
    desk.check()


def test_a_strange_mean_price_fines_nobody() -> None:
    desk = Desk(tonne.rulebook("china-national-ets"), "2023-01-01", 2023)
    for number, value in enumerate(VALUES):
        reply, _ = desk.admin.handle(Command(f"p{number}", "penalise", LAW, date(2025, 1, 1), {"year": 2023, "mean_price": value}))
        if reply.accepted:
            break
    assert desk.state.fines.is_empty()
