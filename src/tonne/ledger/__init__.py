"""What is owned: accounts and transfers, exact, in double entry. The order of reading: account, transfer, result, books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonne.ledger.account import AccountFlag, Holdings, UnitType
from tonne.ledger.result import Result
from tonne.ledger.transfer import LARGEST_QUANTITY, TRANSFER, Batch, PendingState, Transfer, TransferFlag, batch_of, posts, transfers, voids

if TYPE_CHECKING:
    from tonne.ledger.auditor import Auditor
    from tonne.ledger.books import Books
    from tonne.ledger.serials import Serials
    from tonne.ledger.statement import Statement

__all__ = [
    "LARGEST_QUANTITY",
    "TRANSFER",
    "AccountFlag",
    "Auditor",
    "Batch",
    "Books",
    "Holdings",
    "PendingState",
    "Result",
    "Serials",
    "Statement",
    "Transfer",
    "TransferFlag",
    "UnitType",
    "batch_of",
    "posts",
    "transfers",
    "voids",
]

_LATE = {"Auditor": "auditor", "Books": "books", "Serials": "serials", "Statement": "statement"}


def __getattr__(name: str) -> Any:
    """Numba and Polars take most of a second to import; who only needs the words does not wait for them."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"tonne.ledger.{_LATE[name]}"), name)
