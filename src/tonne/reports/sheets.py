"""Tables of a run as text, row by row, drawn once: the terminal and the page only set them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonne.reports.words import HEADINGS, LETTERS, share, signed, used, whole

if TYPE_CHECKING:
    from tonne.reports.data import RunData

WHOLE_SYSTEM = (
    "cap",
    "allocated",
    "auctioned",
    "verified",
    "limit",
    "earned",
    "bought",
    "paid",
    "surrendered",
    "circulation",
    "reserve_intake",
    "reserve_balance",
)
SOME_SYSTEMS = ("limit", "earned", "bought", "paid")  # not worth a word where there is no such thing
GIVEN = ("allocated_loaded", "verified_loaded", "surrendered_loaded")


@dataclass(frozen=True)
class Column:
    """A heading, the unit that stands under it, and whether it holds words (set to the left) or figures (to the right)."""

    heading: str
    unit: str = ""
    words: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table ready to be set: every cell is text. An empty one says why in `note`."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)


def yearly(data: RunData) -> list[Sheet]:
    """The whole system by year; and the installations given, where they are not the whole."""
    sheets = [_by_year(data, "The whole system by year", WHOLE_SYSTEM, _placed(data))]
    rows = data.table.to_dicts()
    if any(row.get(name) != row.get(name.removesuffix("_loaded")) for row in rows for name in GIVEN):
        sheets.append(_by_year(data, "Of it, the installations given", GIVEN))
    return sheets


def _placed(data: RunData) -> str:
    """What was put into the reserve outright, said in a line: a column for two years would be mostly zeros."""
    placed = [row for row in data.table.to_dicts() if row.get("reserve_placed")]
    said = "; ".join(f"{row['reserve_placed']:,} in {row['year']}" for row in placed)
    return f"Placed in the reserve outright, beside the intake: {said}." if placed else ""


def _by_year(data: RunData, title: str, names: Sequence[str], remark: str = "") -> Sheet:
    present = [name for name in names if name in data.table.columns]
    kept = used((name, data.table[name].to_list()) for name in ("year", *present))
    units = {"units": data.system.unit_code, "emissions": data.emissions, "": ""}
    columns = tuple(Column(HEADINGS[name][0], units[HEADINGS[name][1]]) for name in kept)
    rows = tuple(tuple(str(row[name]) if name == "year" else whole(row[name]) for name in kept) for row in data.table.to_dicts())
    empty = [HEADINGS[name][0].lower() for name in present if name not in (*kept, *SOME_SYSTEMS)]
    nothing = f"No figures, or zero in every year: {', '.join(empty)}." if empty else ""
    return Sheet(title, columns, rows, f"{remark} {nothing}".strip())


def money(data: RunData) -> Sheet:
    """What the public received for units and payments, and what was fined; nothing where no money moved."""
    from tonne.units import Money

    currency = data.system.currency
    rows = data.money.to_dicts()
    ranged = any(row["fined_low"] != row["fined_high"] for row in rows)
    heads = [Column("Year"), Column("Received for units", currency)]
    heads += [Column("Fines, least", currency), Column("Fines, most", currency)] if ranged else [Column("Fines", currency)]
    names = ("received", "fined_low", *(("fined_high",) if ranged else ()))

    def amount(minor: int) -> str:
        return f"{Money(minor, currency).amount:,f}" if minor else ""

    told = tuple((str(row["year"]), *(amount(row[name]) for name in names)) for row in rows if any(row[name] for name in names))
    return Sheet("Money: received in a calendar year, fined for an emissions year", tuple(heads), told)


def auctions(data: RunData) -> Sheet:
    """The auctions of each year together: how many, what they offered and sold, at which prices between which bounds, what they brought."""
    from tonne.units import Money

    currency, unit = data.system.currency, data.system.unit_code
    by_year: dict[int, list[dict[str, Any]]] = {}
    for row in [] if data.auctions is None else data.auctions.to_dicts():
        by_year.setdefault(row["year"], []).append(row)
    columns = [Column("Year"), Column("Auctions", "held"), *(Column(word, unit) for word in ("Offered", "Sold", "Unsold"))]
    columns += [Column(word, currency) for word in ("Lowest price", "Mean price", "Highest price", "Floor", "Ceiling", "Proceeds")]
    rows = []
    for year, held in sorted(by_year.items()):
        prices = [row["price"] for row in held if row["price"] is not None]
        units, minor = sum(row["sold"] for row in held), sum(row["proceeds_minor"] for row in held)
        mean = Money(minor, currency).amount / units if units else None
        cells = [str(year), whole(len(held)), *(whole(sum(row[name] for row in held) or None) for name in ("offered", "sold", "unsold"))]
        cells += [_price(min(prices, default=None)), _price(mean, prices), _price(max(prices, default=None))]
        cells += [_bounds([row[name] for row in held]) for name in ("reserve", "ceiling")]
        rows.append((*cells, f"{Money(minor, currency).amount:,f}"))
    kept = used((str(place), [row[place] for row in rows]) for place in range(len(columns)))
    places = [int(place) for place in kept]
    unsold = sum(row["outcome"] in ("cancelled", "declined") for held in by_year.values() for row in held)
    note = f"{unsold:,} of them sold nothing." if unsold else ""
    cut = tuple(tuple(row[place] for place in places) for row in rows)
    return Sheet("Auctions by year", tuple(columns[place] for place in places), cut, note)


def _price(price: Any, like: Sequence[Any] = ()) -> str:
    """As written; a mean with as many digits as the prices it is of."""
    if price is None:
        return ""
    return f"{round(price, max(-one.as_tuple().exponent for one in like)):,f}" if like else f"{price:,f}"


def _bounds(prices: Sequence[Any]) -> str:
    """One price, or the lowest and the highest where it changed."""
    there = sorted({price for price in prices if price is not None})
    return " to ".join(dict.fromkeys(_price(price) for price in (*there[:1], *there[-1:])))


def statement(data: RunData) -> Sheet:
    """Computed against published, the difference, how much of it is explained, and what is left."""
    unit = data.system.unit_code
    columns = (Column("What", words=True), *(Column(name, unit) for name in ("Computed", "Published", "Difference", "Explained", "Unexplained")))
    rows = tuple(
        (
            row["name"],
            whole(row["computed"]),
            whole(row["published"]),
            *(signed(row[name]) for name in ("difference", "explained", "unexplained")),
        )
        for row in data.statement.to_dicts()
    )
    nothing = "the rulebook's statistics have no published circulation for these years"
    if data.label:
        nothing = "published circulation is that of the real installations, and these are generated"
    note = "" if rows else f"Nothing to hold it against: {nothing}."
    return Sheet("Statement of circulation: computed against published", columns, rows, note)


def explanations(data: RunData) -> list[tuple[str, str, str]]:
    """(name, explanations, source of the published figure) of each line of the statement."""
    return [(row["name"], row["explanations"] or "no explanation known", row["source"]) for row in data.statement.to_dicts()]


def compliance(data: RunData) -> Sheet:
    """Installations by year and status letter, with how many letters agree with those that the files print."""
    counts: dict[int, dict[str, int]] = {}
    for row in data.compliance.to_dicts():
        counts.setdefault(row["year"], {})[row["status"]] = row["installations"]
    present = {letter for letters in counts.values() for letter in letters}
    letters = [letter for letter in LETTERS if letter in present] + sorted(present - set(LETTERS))
    printed = {row["year"]: row for row in data.agreement.to_dicts() if row["compared"]}
    columns = [Column("Year"), *(Column(letter, LETTERS.get(letter, "")) for letter in letters), Column("All")]
    columns += [Column("Same letter", "as printed")] if printed else []
    rows = []
    for year, found in sorted(counts.items()):
        cells = [str(year), *(whole(found.get(letter, 0)) for letter in letters), whole(sum(found.values()))]
        if printed:
            cells.append(_of(printed.get(year)))
        rows.append(tuple(cells))
    return Sheet("Compliance: installations by status", tuple(columns), tuple(rows), "" if rows else "No installation was judged in these years.")


def _of(row: dict[str, Any] | None) -> str:
    return f"{row['agreeing']:,} of {row['compared']:,} ({share(row['agreeing'], row['compared'])})" if row else ""


def sectors(data: RunData) -> Sheet:
    """Allocated free and verified by sector, all years run together, largest first."""
    import polars as pl

    sums = data.sectors.group_by("sector").agg(pl.col("allocated", "verified").sum()).sort("verified", "sector", descending=[True, False])
    columns = (
        Column("Sector", words=True),
        Column(data.granted, data.system.unit_code),
        Column("Verified", data.emissions),
        Column(data.granted.removesuffix(" free"), "% of verified"),
    )
    rows = tuple(
        (
            row["sector"],
            whole(row["allocated"]),
            whole(row["verified"]),
            f"{100 * row['allocated'] / row['verified']:,.1f}" if row["verified"] else "",
        )
        for row in sums.to_dicts()
        if row["allocated"] or row["verified"]
    )
    return Sheet(f"Sectors, {data.years} together: the installations given", columns, rows, "" if rows else "No sector has any figure.")


def flows(data: RunData) -> Sheet:
    """What moved in each calendar year, units by kind of transfer."""
    moved: dict[int, dict[str, int]] = {}
    for row in data.flows.to_dicts():
        moved.setdefault(row["year"], {})[row["what"]] = row["quantity"]
    kinds = list(dict.fromkeys(data.flows["what"].to_list()))
    columns = (Column("Year"), *(Column(kind.replace("_", " ").capitalize(), data.system.unit_code) for kind in kinds))
    rows = tuple((str(year), *(whole(found.get(kind)) for kind in kinds)) for year, found in sorted(moved.items()))
    return Sheet("What moved, by calendar year", columns, rows, "" if rows else "Nothing moved.")
