"""Every way a transfer can be answered, in order of precedence.

The numbers are the precedence: a transfer that could be refused for two reasons is refused for the one with the smaller number. They are stable
(they lie in logs), and stand in groups of ten so that a new reason finds its place without moving another.

    group   asks                                         compared with
    0       posted
    10      is its chain whole?                          the batch
    20      is the id an id, and new?                    the transfers accepted
    40      are the flags possible?                      the transfer alone
    50      do accounts and unit type exist?             the books
    60      are quantity and days possible?              the transfer alone; the last day in the books
    70      what it refers to: is it there, and alike?   the transfer it names
    90      may these accounts?                          flags of both accounts
    100     is there enough?                             the balances

Two notes. (1) A chain that fails says why on the transfer that failed; all others of the chain say LINKED_TRANSFER_FAILED. A batch whose last
transfer is LINKED says LINKED_CHAIN_OPEN on that one, whatever else is wrong. (2) EXISTS is not POSTED: nothing was done now, so a chain holding
a repeated transfer fails; repeated whole, its first transfer says EXISTS. A refused transfer leaves no trace and its id stays free.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Result"]


class Result(IntEnum):
    POSTED = 0
    """Done: moved, reserved (PENDING) or released (VOID)."""

    LINKED_CHAIN_OPEN = 10
    """The batch ends inside a chain: its last transfer is LINKED."""
    LINKED_TRANSFER_FAILED = 11
    """Nothing wrong with this one as far as judged, but another that shares its fate failed."""

    ID_MUST_BE_POSITIVE = 20
    """The id is 0 or negative."""
    EXISTS = 21
    """The same transfer was accepted before; not done again."""
    EXISTS_WITH_DIFFERENT_FLAGS = 22
    """The id was accepted before with other flags."""
    EXISTS_WITH_DIFFERENT_REFERENCE = 23
    """The id was accepted before with another reference."""
    EXISTS_WITH_DIFFERENT_FROM_ACCOUNT = 24
    """The id was accepted before from another account."""
    EXISTS_WITH_DIFFERENT_TO_ACCOUNT = 25
    """The id was accepted before to another account."""
    EXISTS_WITH_DIFFERENT_UNIT = 26
    """The id was accepted before with another unit type."""
    EXISTS_WITH_DIFFERENT_QUANTITY = 27
    """The id was accepted before with another quantity (0 in a POST or VOID means all of the pending)."""
    EXISTS_WITH_DIFFERENT_DAY = 28
    """The id was accepted before on another day."""
    EXISTS_WITH_DIFFERENT_EXPIRES = 29
    """The id was accepted before with another day of expiry."""
    EXISTS_WITH_DIFFERENT_KIND = 30
    """The id was accepted before with another kind."""

    FLAG_UNKNOWN = 40
    """A bit is set that is no TransferFlag."""
    FLAGS_CONTRADICT = 41
    """More than one of PENDING, POST, VOID; or CORRECTS with POST or VOID."""

    FROM_ACCOUNT_UNKNOWN = 50
    """No such account to take from."""
    TO_ACCOUNT_UNKNOWN = 51
    """No such account to give to."""
    UNIT_UNKNOWN = 52
    """No such unit type."""
    SAME_ACCOUNT = 53
    """From and to are the same account."""

    QUANTITY_MUST_BE_POSITIVE = 60
    """The quantity is 0 or negative (POST and VOID: negative)."""
    EXPIRES_NOT_EXPECTED = 61
    """A day of expiry on a transfer that is not PENDING."""
    EXPIRES_NOT_AFTER_DAY = 62
    """The day of expiry is not after the transfer's own day."""
    DAY_OUT_OF_ORDER = 63
    """The day is before the last day in the books: the books are never written backwards."""

    REFERENCE_NOT_EXPECTED = 70
    """A reference without POST, VOID or CORRECTS."""
    CORRECTED_NOT_FOUND = 71
    """CORRECTS names no accepted transfer."""
    CORRECTED_NOT_POSTED = 72
    """CORRECTS names a PENDING or a VOID: it moved nothing (name the POST instead)."""
    CORRECTED_DIFFERENT_UNIT = 73
    """CORRECTS names a transfer of another unit type."""
    PENDING_NOT_FOUND = 74
    """POST or VOID names no accepted transfer."""
    REFERENCE_NOT_PENDING = 75
    """POST or VOID names a transfer that is not PENDING."""
    PENDING_DIFFERENT_FROM_ACCOUNT = 76
    """POST or VOID from another account than the pending."""
    PENDING_DIFFERENT_TO_ACCOUNT = 77
    """POST or VOID to another account than the pending."""
    PENDING_DIFFERENT_UNIT = 78
    """POST or VOID of another unit type than the pending."""
    EXCEEDS_PENDING = 79
    """POST or VOID of more than the pending."""
    PENDING_DIFFERENT_QUANTITY = 80
    """VOID of less than the pending: a pending is voided whole."""
    PENDING_ALREADY_POSTED = 81
    """The pending was posted before."""
    PENDING_ALREADY_VOIDED = 82
    """The pending was voided before."""
    PENDING_EXPIRED = 83
    """The pending expired: its day of expiry is this transfer's day or earlier, or it was released by `expire`."""

    FROM_ACCOUNT_CLOSED = 90
    """The account to take from is CLOSED. (Group 90 is not asked of a VOID: it moves nothing.)"""
    TO_ACCOUNT_CLOSED = 91
    """The account to give to is CLOSED."""
    ACCOUNT_BLOCKED = 92
    """The account to take from is BLOCKED and the transfer is not BY_AUTHORITY."""
    ACCOUNT_ONE_WAY = 93
    """The account to take from is ONE_WAY and the transfer is not BY_AUTHORITY."""

    INSUFFICIENT_BALANCE = 100
    """The account to take from must not overdraw, and its balance less its pending out is smaller than the quantity. Not asked again of a POST:
    the pending reserved it."""
    QUANTITY_OVERFLOW = 101
    """The quantity, or a balance or pending sum after it, would pass 2**62 - 1 (LARGEST_QUANTITY)."""

    @property
    def name_for_people(self) -> str:
        """`insufficient_balance`: the name in messages, logs and documents."""
        return self.name.lower()
