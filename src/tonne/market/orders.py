"""The words of the order book: instructions in, executions out, and every name they use.

A batch is a NumPy array of dtype INSTRUCTION, one row an instruction; what happened is an array of dtype EXECUTION. Prices are whole ticks,
quantities whole lots, times microseconds since 1970, days whole days since 1970. The byte order is fixed, so the bytes of a batch, and every hash
over them, are the same on any machine. `Instruction` and `Execution` are the same rows for people, in plain ints.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALL_INSTRUMENTS", "EXECUTION", "FEWEST_PARTS", "INSTRUCTION", "LARGEST_ACCOUNT", "LARGEST_PRICE", "LARGEST_QUANTITY", "MOST_TICKS",
    "NUMBERS_AHEAD", "Execution", "Executions", "Happening", "Instruction", "Instructions", "InstrumentRules", "Lasting", "Matching", "OrderFlag",
    "OrderKind", "Phase", "Reason", "SelfTrade", "Side", "Verb", "executions_of", "instructions", "instructions_of", "wrong_reference",
]  # fmt: skip

Instructions: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype INSTRUCTION."""
Executions: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype EXECUTION."""

INSTRUCTION = np.dtype(
    [
        ("order", "<i8"),  # the sender's number: 1, 2, 3, ...; one used before is a duplicate
        ("price", "<i8"),  # limit, in ticks; MARKET and STOP: 0; AMEND: 0 keeps; REFERENCE: the reference price
        ("stop", "<i8"),  # trigger price of STOP and STOP_LIMIT; AMEND: 0 keeps; REFERENCE: lowest price accepted, 0 none
        ("quantity", "<i8"),  # lots; AMEND: what shall be left, 0 keeps; REFERENCE: ticks of the circuit breaker, 0 none
        ("display", "<i8"),  # peak of an iceberg, 0 shows all; REFERENCE: highest price accepted, 0 none
        ("against", "<i8"),  # TAKE: the resting order picked
        ("time", "<i8"),  # microseconds since 1970; never falls; 0: as the instruction before
        ("account", "<i4"),
        ("instrument", "<i4"),  # place in the book's list of instruments; MASS_CANCEL, PHASE, EXPIRE: ALL_INSTRUMENTS
        ("expires", "<i4"),  # last day of a GTD order; EXPIRE: the day that ends
        ("flags", "<i2"),  # OrderFlag
        ("verb", "i1"),
        ("side", "i1"),
        ("kind", "i1"),
        ("lasting", "i1"),
        ("self_trade", "i1"),
        ("phase", "i1"),  # PHASE: the phase that begins
        ("spare", "<i4"),
    ]
)

EXECUTION = np.dtype(
    [
        ("instruction", "<i8"),  # number of the instruction since the book began: 0, 1, 2, ...
        ("order", "<i8"),  # TRADE: the order that came (in a call: the buy order); 0 when the row is about no order
        ("against", "<i8"),  # TRADE, DECREMENTED: the order that rested (in a call: the sell order)
        ("price", "<i8"),  # TRADE: the price paid; else the order's limit, as `Happening` says
        ("quantity", "<i8"),  # TRADE: lots; else as `Happening` says
        ("left", "<i8"),  # what is left of `order` afterwards
        ("time", "<i8"),  # of the instruction
        ("account", "<i4"),  # of `order`
        ("other", "<i4"),  # of `against`; -1 none
        ("instrument", "<i4"),
        ("happening", "i1"),
        ("reason", "i1"),
        ("side", "i1"),  # of `order`: in a TRADE the aggressor's; in a call BUY
        ("spare", "i1"),
    ]
)

LARGEST_PRICE = 2**31 - 1
"""Ticks. Every price is from 1 to this."""
LARGEST_QUANTITY = 2**31 - 1
"""Lots in one order: the product of two quantities still fits in int64, which pro rata needs."""
LARGEST_ACCOUNT = 2**24 - 1
MOST_TICKS = 2**22
"""Between an instrument's lowest and highest price."""
NUMBERS_AHEAD = 2**20
"""How far an order's number may be above the highest used so far: numbers index arrays, so a wild one must not claim memory."""
FEWEST_PARTS = 100
"""An iceberg shows at least a hundredth of its quantity, so that one order cannot fill an answer by itself."""
ALL_INSTRUMENTS = -1


class Verb(IntEnum):
    NEW = 0
    """Enter an order."""
    CANCEL = 1
    """Take an order out: `order`, `account`."""
    AMEND = 2
    """Change price, trigger or what is left of an order. Less at the same price keeps its place; everything else loses it, and may trade."""
    TAKE = 3
    """TAKERS_CHOICE: trade with the resting order `against`, at its price. What it cannot fill is cancelled."""
    MASS_CANCEL = 4
    """Take out all orders of an account in an instrument, or in all."""
    KILL = 5
    """Take out all orders of an account and refuse it until REVIVE."""
    REVIVE = 6
    """Lift KILL."""
    PHASE = 7
    """Begin `phase` in an instrument, or in all. The end of a call uncrosses."""
    REFERENCE = 8
    """Set reference price, price limits and circuit breaker of an instrument; orders outside the new limits are cancelled."""
    EXPIRE = 9
    """The trading day `expires` ends: DAY orders, and GTD orders whose last day it is, or was, end."""


class Side(IntEnum):
    BUY = 0
    SELL = 1


class OrderKind(IntEnum):
    LIMIT = 0
    MARKET = 1
    """At any price. In continuous trading what finds no counterpart is cancelled; in a call it waits for the uncrossing."""
    STOP = 2
    """Becomes MARKET when a trade at or beyond `stop` happens (buy: at or above; sell: at or below)."""
    STOP_LIMIT = 3
    """Becomes LIMIT in the same way."""


class Lasting(IntEnum):
    DAY = 0
    GTC = 1
    """Until cancelled."""
    GTD = 2
    """Until the end of day `expires`."""
    IOC = 3
    """What does not trade at once is cancelled."""
    FOK = 4
    """Trades at once and whole, or is refused."""


class OrderFlag(IntFlag):
    NONE = 0
    POST_ONLY = 1
    """Refused (`would_take`) when it would trade on entry in continuous trading. LIMIT only."""
    SENDERS = 0x7F00
    """Seven bits for the sender's own marks: kept with the order, never read here."""


class SelfTrade(IntEnum):
    """What happens, in continuous trading, when the order that comes meets one of its own account; the choice is the coming order's.

    A call matches at one price for all and asks nobody's account.
    """

    CANCEL_NEW = 0
    CANCEL_OLD = 1
    CANCEL_BOTH = 2
    DECREMENT = 3
    """Both are reduced by what would have traded; whoever reaches zero is cancelled."""
    ALLOW = 4
    """Trade: one account number stands for many clients."""


class Phase(IntEnum):
    PRE_OPEN = 0
    """Orders are collected."""
    OPENING_CALL = 1
    """Orders are collected; the end uncrosses."""
    CONTINUOUS = 2
    VOLATILITY_CALL = 3
    """As OPENING_CALL; the circuit breaker begins it by itself."""
    CLOSING_CALL = 4
    """As OPENING_CALL."""
    HALT = 5
    """Nothing but cancelling; what a call had collected waits."""
    POST_CLOSE = 6
    """Nothing but cancelling."""
    CLOSED = 7
    """Nothing but cancelling."""
    EXPIRED = 8
    """For ever: all orders end."""


class Matching(IntEnum):
    """Who trades first at one price, in continuous trading. Calls go by price, then time."""

    PRICE_TIME = 0
    PRO_RATA = 1
    """In proportion to what each order shows, rounded down; units left over go one each to orders drawn by the seed."""
    SEEDED_RANDOM = 2
    """The next counterpart is drawn by the seed among the orders at the best price."""
    TAKERS_CHOICE = 3
    """Orders only rest; a TAKE names the one it wants, inside the best levels."""


class Happening(IntEnum):
    """What a row tells. Each instruction writes at least one row (PHASE for all instruments: one for each that has not expired)."""

    ACCEPTED = 0
    """An order entered: its price and quantity. What follows from it comes in the next rows."""
    TRADE = 1
    CANCELLED = 2
    """`quantity` lots of `order` were taken out; nothing is left. The reason tells why; NONE: it was asked for."""
    REFUSED = 3
    """The instruction left no trace, and its order number is free. The row repeats its order, price, quantity, account, instrument, side."""
    TRIGGERED = 4
    """A stop: `price` is the limit it has now (0: market)."""
    REPLENISHED = 5
    """An iceberg shows its next peak, `quantity`, and stands last at its price."""
    EXPIRED = 6
    """As CANCELLED, at the end of the order's time."""
    AMENDED = 7
    """The order's new price, and new quantity left in `quantity` and `left`."""
    DECREMENTED = 8
    """Self-trade: `order` and `against` were both reduced by `quantity`, at `price`, without a trade."""
    PHASE_CHANGED = 9
    """`quantity`: the phase now; `left`: the phase before. Reason VOLATILITY: the circuit breaker did it."""
    UNCROSSED = 10
    """A call ended at `price` with `quantity` lots; `left`: surplus at that price (buy surplus positive). Its TRADE rows follow."""
    MASS_CANCELLED = 11
    """`quantity`: how many orders; their rows stand before."""
    KILLED = 12
    """As MASS_CANCELLED."""
    REVIVED = 13
    REFERENCE_SET = 14
    """`price`: the reference; orders outside the new limits were cancelled in the rows before, `quantity` of them."""
    DAY_ENDED = 15
    """`quantity`: how many orders ended, `left`: the day."""


class Reason(IntEnum):
    """Why something was refused or cancelled. Where two reasons hold, the one with the smaller number is given.

    One exception: what an instrument's matching does not take is BAD_INSTRUCTION too, though asked only when the instrument is known.
    """

    NONE = 0
    BAD_INSTRUCTION = 1
    """A field outside its enum, flags that contradict, a number too far ahead, a field that this verb or kind does not take."""
    CLOCK_BACKWARDS = 2
    """Earlier than an instruction before."""
    UNKNOWN_INSTRUMENT = 3
    DUPLICATE_ORDER = 4
    UNKNOWN_ORDER = 5
    ORDER_NOT_OPEN = 6
    """Filled, cancelled or expired."""
    NOT_THE_ACCOUNT = 7
    """Somebody else's order."""
    KILLED = 8
    """The account is refused until REVIVE."""
    BAD_QUANTITY = 9
    """Below 1 or above LARGEST_QUANTITY; a peak below a hundredth of the quantity, or above it."""
    ORDER_LIMIT = 10
    """Above the instrument's largest order."""
    BAD_PRICE = 11
    """Outside the instrument's range of prices, or a price where none belongs, or none where one does."""
    INSTRUMENT_EXPIRED = 12
    OUTSIDE_SESSION = 13
    """Not in this phase."""
    PRICE_LIMIT = 14
    """Outside the price limits of the day."""

    WOULD_TAKE = 40
    """Post-only, and would trade."""
    NOT_FILLABLE = 41
    """Fill-or-kill, and cannot be filled whole at once."""
    NO_LIQUIDITY = 42
    """Nothing (more) to trade with."""
    OWN_ORDER = 43
    """Self-trade prevention."""
    NOT_IN_FIVE = 44
    """TAKE outside the best levels (five, unless the instrument says otherwise)."""
    IMMEDIATE_OR_CANCEL = 45
    """The rest of an IOC order or of a TAKE."""
    VOLATILITY = 46
    """The circuit breaker began a call."""
    DAY_END = 47
    """The order's last day ended."""

    @property
    def name_for_people(self) -> str:
        """`price_limit`: the name in messages, logs and documents."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What the book must know of an instrument. Prices in ticks; 0 means none. Raises ValueError for what cannot be.

    `lowest_price` to `highest_price` are possible at all (else `bad_price`), `lowest_accepted` to `highest_accepted` today (else `price_limit`).
    `breaker`: a trade further than so many ticks from the last trade (before any: from the reference) begins a volatility call instead.
    """

    matching: Matching = Matching.PRICE_TIME
    lowest_price: int = 1
    highest_price: int = MOST_TICKS
    reference: int = 0
    lowest_accepted: int = 0
    highest_accepted: int = 0
    breaker: int = 0
    largest_order: int = LARGEST_QUANTITY
    take_levels: int = 5
    seed: int = 0
    phase: Phase = Phase.CONTINUOUS

    def __post_init__(self) -> None:
        if not 1 <= self.lowest_price <= self.highest_price <= LARGEST_PRICE:
            raise ValueError(f"prices run from {self.lowest_price} to {self.highest_price}; they must rise and lie in 1 to {LARGEST_PRICE}")
        if self.highest_price - self.lowest_price >= MOST_TICKS:
            raise ValueError(f"{self.highest_price - self.lowest_price + 1} ticks between lowest and highest price; at most {MOST_TICKS} fit")
        wrong = wrong_reference(self, self.reference, self.lowest_accepted, self.highest_accepted, self.breaker)
        if wrong:
            raise ValueError(f"reference {self.reference}, limits {self.lowest_accepted} to {self.highest_accepted}: {wrong}")
        if self.breaker and self.matching == Matching.TAKERS_CHOICE:
            raise ValueError("a circuit breaker needs orders that match by themselves; in TAKERS_CHOICE they only rest")
        if not 1 <= self.largest_order <= LARGEST_QUANTITY or self.take_levels < 1:
            raise ValueError(f"the largest order is {self.largest_order} and {self.take_levels} levels may be taken; both are at least 1")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed {self.seed} is not in 0 to 2**63 - 1")


def wrong_reference(rules: InstrumentRules, reference: int, lowest: int, highest: int, breaker: int) -> str:
    """Why these cannot be reference price, price limits and breaker of an instrument; empty when they can."""
    if reference and not rules.lowest_price <= reference <= rules.highest_price:
        return "the reference is outside the instrument's prices"
    if min(reference, lowest, highest) < 0 or max(lowest, highest) > LARGEST_PRICE:
        return "no price is below 0 or above the largest"
    if highest and lowest > highest:
        return "the lowest price accepted is above the highest"
    if reference and (reference < lowest or (highest and reference > highest)):
        return "the reference is outside the limits"
    if not 0 <= breaker <= LARGEST_PRICE:
        return "the breaker's ticks are below 0 or too many"
    return ""


class Instruction(NamedTuple):
    """One row of a batch, in plain ints; fields in the order of INSTRUCTION."""

    order: int = 0
    price: int = 0
    stop: int = 0
    quantity: int = 0
    display: int = 0
    against: int = 0
    time: int = 0
    account: int = 0
    instrument: int = 0
    expires: int = 0
    flags: int = 0
    verb: int = Verb.NEW
    side: int = Side.BUY
    kind: int = OrderKind.LIMIT
    lasting: int = Lasting.DAY
    self_trade: int = SelfTrade.CANCEL_NEW
    phase: int = Phase.PRE_OPEN
    spare: int = 0


class Execution(NamedTuple):
    """One row of what happened, in plain ints; fields in the order of EXECUTION."""

    instruction: int
    order: int
    against: int
    price: int
    quantity: int
    left: int
    time: int
    account: int
    other: int
    instrument: int
    happening: int
    reason: int
    side: int
    spare: int = 0


def instructions(n: int) -> Instructions:
    """An array of `n` empty instructions (all zero), to be filled column by column."""
    return np.zeros(n, dtype=INSTRUCTION)


def instructions_of(rows: Iterable[Instruction]) -> Instructions:
    """A batch from rows for people. Raises OverflowError when a number does not fit its column."""
    return np.array([tuple(row) for row in rows], dtype=INSTRUCTION)


def executions_of(rows: Any) -> list[Execution]:
    """The rows of an EXECUTION array for people."""
    return [Execution(*row) for row in rows.tolist()]
