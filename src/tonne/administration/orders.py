"""Orders: who may give them, whether they are covered, and the book's answer.

The cover of a batch is checked against what is free before it; what the batch itself sets free counts from the next one on. An order that is not
covered is answered by name and never reaches the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import NOT_COVERED, WHY, uncovered
from tonne.administration.decision import Decision
from tonne.administration.exchange import Exchange
from tonne.administration.listing import require_exchange
from tonne.administration.matching import Done, Matched, Place, moment, take
from tonne.administration.permissions import is_authority, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account as account_of
from tonne.dates import day_number, from_day_number
from tonne.market.orders import (
    EXECUTION,
    INSTRUCTION,
    Happening,
    Lasting,
    OrderKind,
    Phase,
    Reason,
    SelfTrade,
    Side,
    Verb,
    instructions,
)
from tonne.units import UnitsError, fraction

#: What only the venue may instruct.
VENUES_OWN = (Verb.PHASE, Verb.REFERENCE, Verb.EXPIRE, Verb.REVIVE)
VENUES_VERBS = frozenset(int(verb) for verb in VENUES_OWN)
#: Fewer rows than this are looked at one by one, which costs less than a table's machinery.
FEW = 16
#: Instructions of one command, of a participant and of the venue: a deadline's call holds an order of everybody, and nobody else may keep the
#: clerk so long.
MOST, VENUES_MOST = 100_000, 1_000_000
#: Rows of a reply that are written out for people.
SHOWN = 20
DAY_MICROSECONDS = 86_400_000_000
WORDS: dict[str, Any] = {"verb": Verb, "side": Side, "kind": OrderKind, "lasting": Lasting, "self_trade": SelfTrade, "phase": Phase}


def orders(state: State, command: Command) -> Decision:
    """Table `instructions` of the book's dtype, or body `orders`: a list of mappings for people (see `instruction_of`).
    MOST a command, VENUES_MOST of the venue.

    What a row of the table asks for is answered row by row; a row for people that cannot be read refuses the whole command.
    """
    exchange = require_exchange(state)
    if exchange.book is None:
        raise Refusal("unknown_instrument", "nothing is listed yet")
    given = command.tables.get("instructions")
    rows = given if isinstance(given, np.ndarray) else _for_people(state, command, exchange)
    most = VENUES_MOST if _for_all(state, command) else MOST
    if not 1 <= len(rows) <= most:
        raise Refusal("malformed", f"a command of {command.by!r} holds 1 to {most:,} instructions, not {len(rows):,}")
    _require_own(state, command, rows)
    _require_day(command, rows)
    return decide(state, command, rows)


def decide(state: State, command: Command, rows: Any) -> Decision:
    """The decision on instructions that the sender may give: which are covered; the book does the rest when the decision is entered."""
    refused = uncovered(state, rows, day_number(command.day))
    if len(rows) == 1 and refused[0]:
        raise Refusal(NOT_COVERED[int(refused[0])], WHY[int(refused[0])])
    event = {"event": "matched", "count": len(rows), "refused": [[int(row), int(refused[row])] for row in np.flatnonzero(refused)]}
    return Decision([event], {"instructions": rows})


def matched(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """What entering does: the book takes the instructions that are covered."""
    rows = np.asarray(tables["instructions"])
    refused = np.zeros(len(rows), dtype=np.int16)
    for row, reason in event["refused"]:
        refused[row] = reason
    found = take(state.exchange, rows[refused == 0] if event["refused"] else rows, place)
    return Done(found.batch, summary(found), {"executions": _all_executions(found.executions, rows, refused)})


def summary(matched: Matched) -> dict[str, Any]:
    """What the log and the reply tell of a batch: counts by happening, why what was refused, and the first rows in words."""
    rows = matched.executions
    kinds = np.bincount(rows["happening"]).tolist()
    told: dict[str, Any] = {"executions": {Happening(kind).name.lower(): count for kind, count in enumerate(kinds) if count}, "refusals": {}}
    if len(kinds) > Happening.REFUSED and kinds[Happening.REFUSED]:
        reasons = np.bincount(rows["reason"][rows["happening"] == Happening.REFUSED]).tolist()
        told["refusals"] = {Reason(reason).name_for_people: count for reason, count in enumerate(reasons) if count}
    told["digest"] = matched.digest
    if len(rows) <= SHOWN:
        told["rows"] = [told_row(row) for row in rows]
    return told


def told_row(row: Any) -> dict[str, Any]:
    """One execution in words and plain numbers."""
    named = {name: int(row[name]) for name in ("order", "against", "price", "quantity", "left", "account", "other", "instrument")}
    return {"happening": Happening(int(row["happening"])).name.lower(), "reason": reason_name(int(row["reason"])), **named}


def reason_name(reason: int) -> str:
    return NOT_COVERED[reason] if reason in NOT_COVERED else Reason(reason).name_for_people


def _all_executions(executions: Any, rows: Any, refused: Any) -> Any:
    """The book's executions, and before them one row for each instruction that did not reach it."""
    at = np.flatnonzero(refused)
    if not len(at):
        return executions
    turned = np.zeros(len(at), dtype=EXECUTION)
    for name in ("order", "price", "quantity", "time", "account", "instrument", "side"):
        turned[name] = rows[name][at]
    turned["instruction"], turned["other"] = -1, -1
    turned["happening"], turned["reason"] = int(Happening.REFUSED), refused[at]
    return np.concatenate([turned, executions])


# -- who and when


def _for_all(state: State, command: Command) -> bool:
    return is_authority(state, command) or role_of(state, command.by) == "venue"


def _require_own(state: State, command: Command, rows: Any) -> None:
    """Participants instruct for their own accounts; the venue and the authority for all. The venue says what time it is: a participant's clock could
    otherwise run ahead and shut the others out."""
    if _for_all(state, command):
        return
    timed = isinstance(command.tables.get("instructions"), np.ndarray) and bool(rows["time"].any())
    if timed or any("time" in order for order in command.body.get("orders") or () if isinstance(order, Mapping)):
        raise Refusal("not_permitted", "the venue says what time it is; leave `time` out")
    if not VENUES_VERBS.isdisjoint(rows["verb"].tolist() if len(rows) < FEW else np.unique(rows["verb"]).tolist()):
        raise Refusal("not_permitted", "phases, reference prices, the end of the day and the revival of an account are for the venue")
    own = state.accounts.of_holder(command.by)
    if len(rows) < FEW and set(rows["account"].tolist()) <= set(own):
        return
    foreign = ~np.isin(rows["account"], own)
    if foreign.any():
        number = int(rows["account"][np.flatnonzero(foreign)[0]])
        name = state.accounts.ids[number] if 0 <= number < len(state.accounts) else f"#{number}"
        raise Refusal("not_permitted", f"row {int(np.flatnonzero(foreign)[0]) + 1} instructs for account {name}, which is not {command.by!r}'s")


def _require_day(command: Command, rows: Any) -> None:
    """Times lie on the command's day, or, because days begin at other hours elsewhere, on the one before or after."""
    day = day_number(command.day)
    rows = rows[rows["time"] != 0]
    if not len(rows):
        return
    low, high = int(rows["time"].min()) // DAY_MICROSECONDS, int(rows["time"].max()) // DAY_MICROSECONDS
    if low < day - 1 or high > day + 1:
        raise Refusal("malformed", f"times are microseconds since 1970 and lie on {command.day}; these lie on {_day(low)} to {_day(high)}")


def _day(number: int) -> str:
    return from_day_number(number).isoformat() if abs(number) < 700_000 else f"day {number}"


# -- for people


def _for_people(state: State, command: Command, exchange: Exchange) -> Any:
    asked = command.body.get("orders")
    if not isinstance(asked, list) or not asked or len(asked) > 1_000:
        raise Refusal("malformed", "orders carries a table 'instructions', or a list 'orders' of 1 to 1,000 mappings")
    rows = instructions(len(asked))
    number = exchange.book.highest
    for place, order in enumerate(asked):
        if not isinstance(order, Mapping):
            raise Refusal("malformed", f"order {place + 1} is no mapping")
        number = instruction_of(state, command, order, rows[place], number)
    return rows


def instruction_of(state: State, command: Command, order: Mapping[str, Any], row: Any, highest: int) -> int:
    """Fill one instruction from what a person writes: verb, account, instrument (code), side, price (text), quantity (units; lots where margined),
    kind, lasting, expires, stop, display, post_only, order (a number, given here where a new one is left out), time (HH:MM[:SS], local).

    Returns the highest order number given so far. Raises Refusal: `malformed`, `unknown_instrument`, `unknown_account`, `off_tick`, `odd_lot`.
    """
    unknown = sorted(set(order) - {*INSTRUCTION.names, "post_only"} - {"spare"})
    if unknown:
        raise Refusal("malformed", f"an order has no {', '.join(map(repr, unknown))}; it has {', '.join(INSTRUCTION.names[:-1])}, post_only")
    for name, words in WORDS.items():
        if name in order:
            row[name] = _word_of(name, order[name], words)
    exchange = state.exchange
    listing: Mapping[str, Any] | None = None
    if "instrument" in order or row["verb"] in (Verb.NEW, Verb.TAKE, Verb.AMEND, Verb.REFERENCE):
        number = exchange.number(str(order.get("instrument")))
        if number < 0:
            raise Refusal(
                "unknown_instrument", f"{order.get('instrument')!r} is not listed; there are {', '.join(x['code'] for x in exchange.listed)}"
            )
        row["instrument"], listing = number, exchange.listed[number]
    elif row["verb"] in (Verb.MASS_CANCEL, Verb.PHASE, Verb.EXPIRE):
        row["instrument"] = -1
    if "account" in order:
        row["account"] = account_of(state, str(order["account"]))
    if row["verb"] == Verb.NEW and "order" not in order:
        highest += 1
        row["order"] = highest
    for name in ("order", "against", "expires"):
        if name in order:
            row[name] = _int_of(name, order[name])
    highest = max(highest, int(row["order"])) if row["verb"] == Verb.NEW else highest
    if listing is not None:
        for name in ("price", "stop"):
            row[name] = ticks_of(listing, order[name]) if name in order else 0
        for name in ("quantity", "display"):
            row[name] = lots_of(listing, _int_of(name, order[name])) if name in order else 0
    if order.get("post_only"):
        row["flags"] = 1
    row["time"] = _moment(command, listing, order.get("time"), state)
    return highest


def _word_of(name: str, word: Any, words: Any) -> int:
    try:
        return int(words[str(word).upper()])
    except KeyError:
        raise Refusal("malformed", f"{name} {word!r}: write one of {', '.join(w.name.lower() for w in words)}") from None


def _int_of(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) < value < 2**62:
        raise Refusal("malformed", f"{name} is a whole number, not {value!r}")
    if value < 0:
        raise Refusal("malformed", f"{name} is zero or more, not {value}")
    return value


def ticks_of(listing: Mapping[str, Any], price: Any) -> int:
    try:
        steps = _steps(price if not isinstance(price, float) else str(price), listing["tick"])
    except (UnitsError, ValueError, ArithmeticError, TypeError):
        raise Refusal("malformed", f"{price!r} is no price; write it as text, like 83.60") from None
    if steps.denominator != 1:
        raise Refusal("off_tick", f"{price} {listing['currency']} is no multiple of {listing['code']}'s tick, {listing['tick']}")
    if not -(2**31) < steps.numerator < 2**31:
        raise Refusal("malformed", f"{price} {listing['currency']} is no price that can be counted here")
    return steps.numerator


@lru_cache(maxsize=10_000)
def _steps(price: Any, tick: str) -> Fraction:
    """A price in ticks, exactly: the same prices come again and again."""
    return fraction(price) / fraction(Decimal(tick))


def price_of(listing: Mapping[str, Any], price: Any) -> int:
    """Ticks of a price that somebody names for an instrument. Raises Refusal: `malformed`, `off_tick`, `bad_price` outside its order book's range."""
    ticks = ticks_of(listing, price)
    low, high = listing["book"]["lowest_price"], listing["book"]["highest_price"]
    if not low <= ticks <= high:
        lowest, highest = (Decimal(listing["tick"]) * bound for bound in (low, high))
        raise Refusal("bad_price", f"{price} {listing['currency']} is no price of {listing['code']}: these run from {lowest} to {highest}")
    return ticks


def lots_of(listing: Mapping[str, Any], quantity: int) -> int:
    """Spot is ordered in units, what is margined in lots."""
    if listing["settlement"] == "margined":
        return quantity
    lots, rest = divmod(quantity, listing["lot"])
    if rest:
        raise Refusal("odd_lot", f"{quantity:,} units are no multiple of {listing['code']}'s lot of {listing['lot']:,}")
    return lots


def _moment(command: Command, listing: Mapping[str, Any] | None, clock: Any, state: State) -> int:
    """Microseconds since 1970 of a local time of the command's day; the book's last moment where none is given."""
    day = day_number(command.day) * DAY_MICROSECONDS
    if clock is None:
        return max(day, int(state.exchange.book.last_time))
    try:
        return moment(command.day, str(clock), listing["timezone"] if listing else "UTC")
    except ValueError:
        raise Refusal("malformed", f"{clock!r} is no time of day; write it as 09:30 or 09:30:15.250") from None
