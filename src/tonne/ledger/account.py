"""The two things an account is described by: what its holder may do (flags) and what it holds (unit types).

An account is a number, dense from 0 in the order of opening. One account holds any number of unit types. Ends of life are accounts too:
issuance, surrendered, retired, cancelled, buffer, invalidated. An issuance account is an account without MUST_NOT_OVERDRAW: it goes negative by
what was issued, so that for each unit type all balances sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["AccountFlag", "Holdings", "UnitType"]


class AccountFlag(IntFlag):
    """What the books refuse to an account. Flags, not code paths: a kind of account is a choice of these."""

    NONE = 0
    MUST_NOT_OVERDRAW = 1
    """What is available (balance less what is pending out) may not fall below zero."""
    ONE_WAY = 2
    """What enters, the holder cannot take out; the administrator can (TransferFlag.BY_AUTHORITY)."""
    BLOCKED = 4
    """Nothing leaves, unless by authority. It may receive."""
    CLOSED = 8
    """Nothing leaves and nothing enters, not even by authority. A pending transfer may still be voided."""


@dataclass(frozen=True, slots=True)
class UnitType:
    """A fungible class: units of one type are exchangeable for each other, and only they meet in a transfer.

    `measure` is what the integer 1 means ('tonne', 'short_ton', 'kilogram', 'EUR cent', 'lot') and can never change for a unit type.
    `vintage` is a year or None; `restrictions` are words of the rulebook ('aviation', 'not before 2031').
    """

    code: str
    system: str
    kind: str
    vintage: int | None
    measure: str
    restrictions: tuple[str, ...] = ()


class Holdings(NamedTuple):
    """What every account holds, one row for each (account, unit) with anything not zero, sorted by account, then unit. Five columns of one length."""

    account: NDArray[np.int64]
    unit: NDArray[np.int64]
    balance: NDArray[np.int64]
    pending_out: NDArray[np.int64]
    pending_in: NDArray[np.int64]
