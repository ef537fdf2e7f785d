"""Reads the transaction blocks of a registry's log: which units moved, when, from which account to which, and as what.

A transaction is one or more blocks of units that move together. docs/formats.md describes the layout.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tonne.formats.faults import Fault, settle
from tonne.formats.reading import Table, read_table

if TYPE_CHECKING:
    import polars as pl

_NEEDS = ("block_id", "transaction_id", "timestamp", "type_main", "type_supplementary", "transferring_account", "acquiring_account", "amount")

# The types of the international transaction log and of the registries that joined it; the pair main-supplementary says what a block is.
MAIN_KINDS = {
    1: "issue",
    2: "conversion",
    3: "external_transfer",
    4: "cancellation",
    5: "retirement",
    6: "replacement",
    7: "carry_over",
    8: "expiry_date_change",
    10: "transfer",
}
SUPPLEMENTARY_KINDS = {
    0: None,  # the main type says it all
    1: "cancellation",
    2: "surrender",
    3: "retirement",
    4: "surrender",
    21: "external_transfer",
    22: "external_transfer",
    24: "issue",
    26: "conversion",
    30: "issue",
    31: "issue",
    33: "banking",
    34: "banking",
    35: "allocation",
    36: "allocation",
    37: "auction_delivery",
    38: "carry_over",
    39: "carry_over",
    41: "replacement",  # cancelled in one period and replaced by units of the next
    45: "cancellation",
    46: "cancellation",
    48: "cancellation",
    51: "issue",
    52: "issue",
    53: "allocation",
    54: "issue",
    55: "correction",
    56: "conversion",
    57: "conversion",
    61: "conversion",
    62: "conversion",
    63: "allocation",
    71: "exchange",
    72: "exchange",
    76: "external_transfer",
    82: "surrender_reversal",
    84: "surrender_reversal",
    86: "allocation_reversal",
    87: "allocation_reversal",
    90: "cancellation",
    91: "cancellation",
    92: "surrender_reversal",
    93: "correction",
    94: "cancellation_reversal",
    104: "cancellation_reversal",
    124: "cancellation_reversal",
    # 135 and 136 are published as allocations, but numbers from 100 on are reversals elsewhere in the list: left as other.
    171: "exchange_reversal",
    190: "cancellation_reversal",
}
# Under a main type that is an end of life, the supplementary number is the registry's own and does not change what happens.
_MAIN_DECIDES = (1, 4, 5, 6, 7, 8)


def kind_of(type_main: int, type_supplementary: int) -> str:
    """What a type pair does, in one word: (10, 2) is a surrender, (5, 1) a retirement, (10, 0) a transfer; `other` where unknown."""
    main = MAIN_KINDS.get(type_main, "other")
    if type_main in _MAIN_DECIDES or type_supplementary == 0:
        return main
    return SUPPLEMENTARY_KINDS.get(type_supplementary) or "other"


def read_transactions(
    path: str | os.PathLike[str],
    columns: Mapping[str, str] | None = None,
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
) -> tuple[pl.DataFrame, list[Fault]]:
    """The blocks of a CSV, gzipped CSV or Parquet file in the order they happened (time, then block), and the faults of rows skipped.

    Columns: block_id Int64, transaction_id, timestamp Datetime[ms] (as printed; the files name no time zone), type ('10-2'), kind ('surrender'),
    type_main, type_supplementary Int32, transferring_account, acquiring_account, unit_type, project_id (null: none), amount Int64 in units.
    A block may go from an account to itself: the units change their type there. Raises `BadFile` unless `skip_bad`.
    """
    import polars as pl

    if columns is not None and (lost := [name for name in _NEEDS if name not in columns]):
        raise ValueError(f"column mapping: needs {list(_NEEDS)}; {lost} are missing")
    table, dialect = read_table(path, (_NEEDS,), columns, "transaction blocks")
    if dialect == 0:
        table.renamed({name: name for name in (*_NEEDS, "unit_type", "project_id") if name in table.frame.columns})
    main, supplementary = (table.whole(name, required=True, least=0, most=999).cast(pl.Int32) for name in ("type_main", "type_supplementary"))
    block = table.whole("block_id", required=True, least=0)
    texts = [table.text(name, required=True) for name in ("transaction_id", "transferring_account", "acquiring_account")]
    amount = table.whole("amount", required=True, unit=" units")
    table.fault(amount <= 0, "amount", "a block has one unit at least")
    table.refuse_twice((block,), "block_id")
    when = _timestamps(table)
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects)
    types = pl.DataFrame([main, supplementary]).unique().drop_nulls()
    kinds = types.with_columns(kind=pl.Series([kind_of(*pair) for pair in types.rows()], dtype=pl.String))
    frame = pl.DataFrame([block, texts[0], when, main, supplementary, texts[1], texts[2], table.text("unit_type"), table.text("project_id"), amount])
    pair = pl.concat_str("type_main", "type_supplementary", separator="-").alias("type")
    frame = table.good(frame).join(kinds, on=["type_main", "type_supplementary"], how="left")
    last = ("type_main", "type_supplementary", "transferring_account", "acquiring_account", "unit_type", "project_id", "amount")
    return frame.select("block_id", "transaction_id", "timestamp", pair, "kind", *last).sort("timestamp", "block_id"), faults


def _timestamps(table: Table) -> pl.Series:
    """The moments to the millisecond. Taken are "2007-02-21 12:30:24.5", with T for the blank, and with fewer or no decimals."""

    texts = table.text("timestamp", required=True)
    plain = texts.str.replace("T", " ", literal=True).str.replace(r"(Z|\+00:?00)$", "")
    whole = plain.str.replace(r"^(\d{4}-\d{2}-\d{2} \d{2}:\d{2})$", "$1:00")
    moments = whole.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False)
    table.fault(moments.is_null() & texts.is_not_null(), "timestamp", "no moment in the form YYYY-MM-DD hh:mm:ss.sss")
    return moments.alias("timestamp")
