"""What a transfer is for: the codes that the administration writes into the ledger's `kind`."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Stable numbers: they are in every stored transfer."""

    TRANSFER = 0
    ISSUE = 1
    ALLOCATE = 2
    RETURN_ALLOCATION = 3
    OFFER = 4
    SELL = 5
    PAY = 6
    SURRENDER = 7
    CANCEL = 8
    WITHHOLD = 9
    RELEASE = 10
    INVALIDATE = 11
    CARRY_OVER = 12
    OPENING = 13
    CONVERT = 14
    RETIRE = 15
    REPLACE = 16
    CORRECT = 17
    DEDUCT = 18
    SET_ASIDE = 19
    NOVATE = 20
    DEPOSIT = 21
    WITHDRAW = 22
    VARIATION = 23
    DELIVER = 24
    FEE = 25
    DEFAULT = 26
    SCHEDULED = 27

    @property
    def word(self) -> str:
        return self.name.lower()
