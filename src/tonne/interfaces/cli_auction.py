"""`tonne auction clear`: the bids of a file, cleared by the rules that a system's law has on a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonne.interfaces.cli_law import On
from tonne.interfaces.cli_words import AsJson, Scenario, bold, console, day, emit, out, say, screen_width, system_of, today, wrapped

if TYPE_CHECKING:
    from tonne.administration.auction_terms import AuctionTerms
    from tonne.formats.bids import BidFile
    from tonne.market.auction import AuctionResult, AuctionRules, Offers
    from tonne.market.auction_sheet import Fates

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Primary auctions: clear the bids of a file by a system's law.")

SHOWN = 40  # bidders, and bids, that are printed; --json has all
TIED = 6  # bidders that are named in a tie

ASKED = {"auction_reserve_price": "reserve", "auction_ceiling_price": "ceiling", "bid_limit": "bid_limit"}
SILENT = {
    "auction_reserve_price": "no reserve price; the auction is cleared without one (--reserve PRICE gives one)",
    "auction_ceiling_price": "no ceiling price; the auction is cleared without one (--ceiling PRICE gives one)",
    "containment_withheld": "no size for what is withheld at low prices; nothing is withheld (--withholding-left UNITS gives one)",
}  # asks that a law may offer without a figure for the day
CONTAINED, NOTHING = "--containment-left", "Nothing was sold."
BY = {"random": "lot", "time": "time", "pro_rata": "pro rata"}
WORDS = {
    "bad_quantity": "no quantity above zero",
    "bad_price": "no price above zero",
    "below_minimum": "below the smallest bid",
    "odd_lot": "no whole number of lots",
    "too_many_bids": "more bids than a bidder may have",
    "no_non_competitive": "bids without a price are not taken here",
    "below_reserve": "below the reserve",
    "over_limit": "over the bidder's limit",
    "over_guarantee": "over the bidder's guarantee",
    "below_the_price": "below the price",
    "tie": "tie",
    "units_ran_out": "the last bid served, the units ran out",
    "nothing_sold": "nothing was sold",
}
MONEY = "price interim_price min_bid max_bid mean_bid median_bid mean_bid_by_unit median_bid_by_unit mean_price_paid proceeds".split()
COUNTS = ("bidders", "winners", "bids")
LABELS = {"hhi": "hhi (concentration of the winners; 10,000: one took all)", "distribution": "units won, largest first"}


def whole_units(text: str) -> int:
    """Units given with an option."""
    if not text.isascii() or not text.isdigit():
        plain = text.replace(",", "").replace("'", "").replace("_", "").replace(" ", "")
        hint = f"write {plain}" if plain.isascii() and plain.isdigit() else "a whole number of units is needed, as 5000"
        raise typer.BadParameter(f"{text!r}: {hint}")
    return int(text)


@app.callback()
def auctions() -> None:
    """Primary auctions: clear the bids of a file by a system's law."""


@app.command(short_help="Clear the sealed bids of a file.")
def clear(
    bids: Annotated[Path, typer.Argument(metavar="BIDS.csv", help="columns bidder, price, quantity; time, kind, guarantee, limit, non_competitive")],
    rules: Annotated[str, typer.Option("--rules", metavar="SYSTEM", help="whose law: an id, or the folder of a rulebook")],
    offered: Annotated[int | None, typer.Option("--offered", metavar="UNITS", parser=whole_units, help="units on offer")] = None,
    offers: Annotated[
        Path | None, typer.Option("--offers", metavar="OFFERS.csv", help="or a file: jurisdiction, category, vintage, quantity")
    ] = None,
    reserve: Annotated[str | None, typer.Option("--reserve", metavar="PRICE", help="the reserve price, also a secret one; else the law's")] = None,
    ceiling: Annotated[
        str | None, typer.Option("--ceiling", metavar="PRICE", help="the highest price; bids above it count as bids at it; else the law's")
    ] = None,
    secondary: Annotated[
        str | None, typer.Option("--secondary", metavar="PRICE", help="below it the price fails the test of the secondary market")
    ] = None,
    containment_left: Annotated[
        list[str] | None,
        typer.Option(
            "--containment-left", metavar="UNITS", help="what a tier of the containment reserve still holds; once for each tier, lowest first"
        ),
    ] = None,
    withholding_left: Annotated[
        int | None, typer.Option("--withholding-left", metavar="UNITS", parser=whole_units, help="what may still be withheld at low prices")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="draws the order of equal bids")] = 0,
    compliance: Annotated[
        str, typer.Option("--compliance", metavar="KIND,...", help="kinds of bidders that the results sheet counts")
    ] = "compliance",
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="OURS=THEIRS", help="a column of the bids by another name (bidder=who); may be repeated")
    ] = None,
    on: On = None,
    scenario: Scenario = None,
    as_json: AsJson = False,
) -> None:
    """Clear one sealed-bid auction by the law of a day: price, sold, awards, why bids were cut, and the results sheet.

    What is not given comes from the law: the switches, the reserve and ceiling price, bid limits, the triggers and sizes of containment reserves.
    """
    from tonne.administration.auction_terms import switches_of
    from tonne.formats.bids import read_bids, read_offers
    from tonne.interfaces.api import rulebook
    from tonne.market.auction import clear_auction
    from tonne.market.auction_sheet import fates

    if (offered is None) == (offers is None):
        raise typer.BadParameter("give the units on offer, or a file of them", param_hint="--offered or --offers")
    on_offer = read_offers(offers) if offers is not None else offered or 0
    units = on_offer if isinstance(on_offer, int) else on_offer.total
    book = rulebook(_known(system_of(rules)), scenario)
    law = book.at(day(on, "--on") or today(book.system.begins))
    switches = switches_of(law)
    file = read_bids(bids, switches, _pairs(columns))
    prices = {"reserve": reserve, "ceiling": ceiling, "secondary": secondary}
    terms = given_terms(law, switches, units, prices, containment_left, withholding_left)
    result = clear_auction(
        switches,
        on_offer,
        file.bids,
        reserve=terms.law.reserve,
        ceiling=terms.law.ceiling,
        secondary=terms.secondary,
        seed=seed,
        limits=limits_of(law, units, file, terms),
        guarantees=file.guarantees,
        tiers=terms.law.tiers,
        withhold=terms.law.withhold,
    )
    fate = fates(result, terms.law.ceiling)
    counted = [kind.strip() for kind in compliance.split(",")]
    sheet = {**result.sheet(file.kinds, counted), **_unknown(terms)}
    terms.notes += _notes(result, file, counted, terms)
    by_row = None if isinstance(on_offer, int) else _offers(on_offer, result)
    if as_json:
        emit({**_as_plain(book.system, law.day, seed, result, file, terms, sheet, fate), "offers": by_row})
        for note in terms.notes:
            say(note)
    else:
        _show(book.system, law.day, seed, result, file, terms, sheet, by_row, fate)


# -- from the law


@dataclass(slots=True)
class Given:
    """The terms of one auction: the law's, and laid over them what the options give. sources: where each comes from. notes: what to tell the person.

    no_reserve: why no reserve price is known where the law speaks of one. withhold_unknown: the law has a trigger for withholding and no size.
    """

    law: AuctionTerms
    secondary: int | None = None
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    no_reserve: str = ""
    withhold_unknown: bool = False


def given_terms(
    law: Any, rules: AuctionRules, units: int, prices: dict[str, str | None], contained: list[str] | None, withholding: int | None
) -> Given:
    """What the law's asks answer on its day, and the options in their place. Notes which figure the law should have and has not."""
    from tonne.administration.auction_terms import terms_of
    from tonne.market.auction import AuctionError

    terms = Given(terms_of(law, rules, units))
    terms.sources = {ASKED[ask]: "the law" for ask in terms.law.sources if ask in ASKED}
    for name, text in prices.items():
        if text is not None:
            ticks = _ticks(rules, _price(text, f"--{name}"), name)
            setattr(terms if name == "secondary" else terms.law, name, ticks)
            terms.sources[name] = "given"
    low, high = terms.law.reserve, terms.law.ceiling
    if low is not None and high is not None and high < low:
        money = law.system.currency
        raise AuctionError(f"bad_price: the ceiling of {rules.price(high)} {money} lies below the reserve of {rules.price(low)} {money}")
    _contained(law, rules, terms, contained)
    if withholding is not None and terms.law.withhold is not None:
        terms.law.withhold = (terms.law.withhold[0], withholding)
    elif withholding is not None:
        terms.notes.append(f"--withholding-left is not used: the law withholds nothing on {law.day}.")
    terms.withhold_unknown = "containment_withheld" in terms.law.silent and withholding is None
    for ask, words in SILENT.items():
        if ask in terms.law.silent and ASKED.get(ask) not in terms.sources and not (ask == "containment_withheld" and withholding is not None):
            terms.notes.append(f"The law has for {law.day} {words}.")
    if low is None and "auction_reserve_price" in terms.law.silent:
        terms.no_reserve = f"the law has no figure for {law.day}"
    elif low is None and terms.law.reserve_by_formula:
        terms.no_reserve = "the law has a formula only"
        terms.notes.append(
            "The law has a formula for the reserve price and no figure; the auction is cleared without one (--reserve PRICE gives one)."
        )
    return terms


def _contained(law: Any, rules: AuctionRules, terms: Given, texts: list[str] | None) -> None:
    """What the tiers still hold: the law's sizes, or one value for each tier."""
    tiers = terms.law.tiers
    if texts:
        left = _units(texts)
        if len(left) != len(tiers):
            has = (
                f"{len(tiers)} {'tier' if len(tiers) == 1 else 'tiers'} (at {', '.join(str(rules.price(at)) for at, _ in tiers)})"
                if tiers
                else "no tier"
            )
            raise typer.BadParameter(
                f"{len(left)} {'value' if len(left) == 1 else 'values'}, and the law of {law.day} has {has}", param_hint=CONTAINED
            )
        terms.law.tiers = [(trigger, size) for (trigger, _), size in zip(tiers, left, strict=True)]
        terms.law.unsized = []
    for place in terms.law.unsized:
        at = f"{rules.price(tiers[place][0])} {law.system.currency}"
        terms.notes.append(
            f"The law has for {law.day} no size for the containment reserve at {at}; nothing is released from it ({CONTAINED} UNITS gives one)."
        )


def _units(texts: list[str]) -> list[int]:
    """One value a tier: the option repeated, or values with `;` between them."""
    parts = [part.strip() for text in texts for part in text.split(";") if part.strip()]
    for part in parts:
        if "," in part:
            raise typer.BadParameter(
                f"{part!r}: write a quantity without separators, as {part.replace(',', '')}; for a second tier repeat the option",
                param_hint=CONTAINED,
            )
        if not (part.isascii() and part.isdigit()):
            raise typer.BadParameter(f"{part!r}; write whole numbers of units, as 8416278; for a second tier repeat the option", param_hint=CONTAINED)
    return [int(part) for part in parts]


def _unknown(terms: Given) -> dict[str, None]:
    """Fields of the results sheet that the law leaves open; a size that is not known is no zero."""
    open_fields = {"containment_available": bool(terms.law.unsized), "withholding_available": terms.withhold_unknown}
    return {name: None for name, unknown in open_fields.items() if unknown}


def _notes(result: AuctionResult, file: BidFile, compliance: list[str], terms: Given) -> list[str]:
    """What a person should know of the file and the offer."""
    notes = []
    if file.ignored:
        notes.append(f"Columns of the file that are not read: {', '.join(file.ignored)}.")
    same: dict[str, list[str]] = {}
    for name in file.bidders:
        same.setdefault(name.casefold(), []).append(name)
    for names in same.values():
        if len(names) > 1:
            notes.append(f"{' and '.join(repr(name) for name in names)} differ only in capitals; they count as {len(names)} bidders.")
    lot = result.rules.lot
    if odd := result.offered % lot:
        notes.append(
            f"{result.offered:,} units on offer are no whole number of lots of {lot:,}: {odd:,} {'unit fills' if odd == 1 else 'units fill'} no lot."
        )
    if file.kinds is not None and not set(file.kinds) & set(compliance):
        kinds = ", ".join(sorted({kind or "none" for kind in file.kinds}))
        notes.append(f"No percentage for compliance: no bidder is of the kind {' or '.join(compliance)}; the kinds are {kinds} (--compliance KIND).")
    if result.outcome in ("cancelled", "declined"):
        notes.append(NOTHING)
    return notes


def _pairs(texts: list[str] | None) -> dict[str, str] | None:
    """`ours=theirs` pairs as a mapping."""
    pairs = dict(text.partition("=")[::2] for text in texts or ())
    if not all(ours and theirs for ours, theirs in pairs.items()):
        raise typer.BadParameter(f"{' '.join(texts or ())!r}; write OURS=THEIRS, our column first", param_hint="--columns")
    return pairs or None


def _known(system: str | Path) -> str | Path:
    """The id, or the refusal with the id that it is most like: by its letters, else by its first letters and those of its words."""
    import difflib

    from tonne.law import systems

    if isinstance(system, Path) or system in (ids := systems()) or not system.replace("-", "").isalnum():
        return system
    words = system.lower().split("-")
    short = "".join(word[:1] for word in words)
    starts = [one for one in ids if len(words) > 1 and one.split("-")[0] == short]
    near = starts or difflib.get_close_matches(system.lower(), ids, n=1, cutoff=0.6)
    if not near:
        return system
    raise ValueError(f"no system {system!r}; did you mean {near[0]!r}? `tonne systems` has all")


def limits_of(law: Any, units: int, file: BidFile, terms: Given) -> Any:
    """Most units by bidder: the file's limit, the law's for every bidder and for its kind, the least of them; None without any."""
    import numpy as np

    from tonne.administration.auction_terms import purchase_limits

    columns = []
    if file.limits is not None:
        columns.append(np.where(file.limits < 0, np.iinfo(np.int64).max, file.limits))
    if terms.law.bid_limit is not None:
        columns.append(np.full(len(file.bidders), terms.law.bid_limit, dtype=np.int64))
    by_kind = purchase_limits(law, units, file.kinds) if file.kinds is not None else None
    if by_kind is not None:
        columns.append(by_kind)
        terms.sources["purchase_limit"] = "the law"
    return np.minimum.reduce(columns) if columns else None


def _price(text: str, option: str) -> Decimal:
    if "," in text or " " in text.strip():
        raise typer.BadParameter(f"{text!r} is no price; use a point for decimals and no separators, as 1234.50", param_hint=option)
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or price < 0:
        raise typer.BadParameter(f"{text!r} is no price; write it as 55.10", param_hint=option)
    return price


def _ticks(rules: AuctionRules, price: Decimal, name: str) -> int:
    from tonne.market.auction import AuctionError

    try:
        return rules.ticks(price)
    except AuctionError as error:
        raise AuctionError(f"{name}: {error}") from None


# -- what is shown


def _rows(result: AuctionResult, file: BidFile, places: Any, fate: Fates) -> list[dict[str, Any]]:
    """The bids at some places of the book, with what became of them."""
    import numpy as np

    from tonne.market.auction import BidReason

    bids = result.bids
    columns = (file.lines, bids.bidder, bids.price, bids.quantity, bids.non_competitive, result.kept, result.awards, result.reasons, fate.capped)
    money = {ticks: result.rules.price(ticks) for ticks in set(bids.price[places].tolist())}
    lost = [fate.lost[place] for place in np.arange(len(bids))[places].tolist()]
    return [
        {
            "line": line,
            "bidder": file.bidders[bidder],
            "price": None if priceless else money[ticks],
            "quantity": quantity,
            "counted": kept,
            "award": award,
            "reason": (word or None) if reason == BidReason.COUNTS else BidReason(reason).name.lower(),
            "lost": word or None,
            "capped": capped,
        }
        for line, bidder, ticks, quantity, priceless, kept, award, reason, capped, word in zip(
            *(column[places].tolist() for column in columns), lost, strict=True
        )
    ]


def _awards(result: AuctionResult, file: BidFile) -> list[dict[str, Any]]:
    """Every bidder with the units it bid for, those that counted, those it got and what it pays; the largest award first."""
    import numpy as np

    from tonne.market.auction_awards import totals_of

    bids, count = result.bids, len(file.bidders)
    columns = (np.ones(len(bids), dtype=np.int64), bids.quantity, result.kept, result.awards)
    totals = [totals_of(bids.bidder, column, count).tolist() for column in columns]
    names = ("bids", "quantity", "counted", "award")
    costs = [Decimal(minor).scaleb(-result.rules.decimals) for minor in result.costs.tolist()]
    rows = zip(file.bidders, zip(*totals, strict=True), costs, strict=True)
    found = [{"bidder": bidder, **dict(zip(names, figures, strict=True)), "cost": cost} for bidder, figures, cost in rows]
    return sorted(found, key=lambda one: (-one["award"], one["bidder"]))


def _offers(offers: Offers, result: AuctionResult) -> list[dict[str, Any]]:
    """The rows on offer, with what was sold of each."""
    columns = (offers.jurisdiction, offers.category, offers.vintage, offers.quantity, result.sold_of_offers)
    names = ("jurisdiction", "category", "vintage", "quantity", "sold")
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _prices(terms: Given, money: Callable[[int], Decimal]) -> dict[str, Any]:
    law = terms.law
    return {
        "reserve": None if law.reserve is None else money(law.reserve),
        "ceiling": None if law.ceiling is None else money(law.ceiling),
        "secondary": None if terms.secondary is None else money(terms.secondary),
        "bid_limit": law.bid_limit,
        "containment": [
            {"trigger": money(trigger), "units": None if place in law.unsized else units} for place, (trigger, units) in enumerate(law.tiers)
        ],
        "withhold": None
        if law.withhold is None
        else {"trigger": money(law.withhold[0]), "units": None if terms.withhold_unknown else law.withhold[1]},
    }


def _tie(result: AuctionResult, file: BidFile, fate: Fates, seed: int) -> dict[str, Any] | None:
    """The bids among which the last units were divided, and how."""
    if fate.tie_price is None:
        return None
    numbers = dict.fromkeys(result.bids.bidder[fate.tied].tolist())
    return {
        "price": result.rules.price(fate.tie_price),
        "bidders": [file.bidders[number] for number in numbers],
        "bid_for": int(result.kept[fate.tied].sum()),
        "awarded": int(result.awards[fate.tied].sum()),
        "by": BY[result.rules.ranking].replace(" ", "_"),
        "seed": None if result.rules.ranking == "time" else seed,
    }


def _tie_words(tie: dict[str, Any], currency: str) -> str:
    names, more = tie["bidders"][:TIED], len(tie["bidders"]) - TIED
    listed = f"{', '.join(names)} and {more:,} more" if more > 0 else f"{', '.join(names[:-1])} and {names[-1]}"
    by = tie["by"].replace("_", " ") + ("" if tie["by"] != "lot" else f" (seed {tie['seed']})")
    return f"tie at {tie['price']:,} {currency}: {listed}, by {by}".replace("by pro rata", "pro rata")


def _as_plain(
    system: Any, when: date, seed: int, result: AuctionResult, file: BidFile, terms: Given, sheet: dict[str, Any], fate: Fates
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "system": system.id,
        "on": when,
        "currency": system.currency,
        "seed": seed,
        "rules": asdict(result.rules),
        "terms": {**_prices(terms, result.rules.price), "sources": terms.sources},
        "notes": terms.notes,
        "tie": _tie(result, file, fate, seed),
        "sheet": sheet,
        "awards": _awards(result, file),
        "bids": _rows(result, file, slice(None), fate),
    }


def _show(
    system: Any,
    when: date,
    seed: int,
    result: AuctionResult,
    file: BidFile,
    terms: Given,
    sheet: dict[str, Any],
    by_row: list[dict[str, Any]] | None,
    fate: Fates,
) -> None:
    from tonne.reports.tables import rich_tables

    money, currency = result.rules.price, system.currency
    reason = f" ({result.reason.replace('_', ' ')})" if result.reason else ""
    out(f"{bold(result.outcome.upper())}{reason}: {system.id} on {when}")
    price = "no price" if result.price is None else f"{money(result.price):,} {currency}"
    out(f"price {bold(price)}, {result.sold:,} sold, {result.unsold:,} unsold of {result.offered:,} offered")
    extra = [("added at the ceiling", result.added), ("from containment reserves", result.containment_sold), ("withheld for good", result.withheld)]
    for name, units in extra:
        if units:
            out(f"  {units:,} {name}")
    if terms.no_reserve:
        out(f"  reserve: NOT KNOWN ({terms.no_reserve})")
    for name, value in _prices(terms, money).items():
        if value not in (None, []):
            out(f"  {name.replace('_', ' ')} {_term(value, currency)}{f' ({terms.sources[name]})' if name in terms.sources else ''}")
    if tie := _tie(result, file, fate, seed):
        wrapped("", _tie_words(tie, currency), 2)
    if capped := int(fate.capped.sum()):
        at = f"{money(terms.law.ceiling or 0):,} {currency}"
        out(f"{capped:,} {'bid is' if capped == 1 else 'bids are'} capped at the ceiling: bid above {at}, counted at it")
    for note in terms.notes:
        if note != NOTHING:
            wrapped("note: ", note)
    for table in _tables(result, file, system, by_row, sheet, fate):
        out()
        for part in rich_tables(table, screen_width()):
            console().print(part)
    if NOTHING in terms.notes:
        say(NOTHING)


def _term(value: Any, currency: str) -> str:
    if isinstance(value, (list, dict)):
        return ", ".join(_pair(item, currency) for item in (value if isinstance(value, list) else [value]))
    return f"{value:,} {currency if isinstance(value, Decimal) else 'units'}"


def _tables(result: AuctionResult, file: BidFile, system: Any, by_row: list[dict[str, Any]] | None, sheet: dict[str, Any], fate: Fates) -> list[Any]:
    """The awards, the rows of a joint offer, the bids that did not get all they asked for or were capped, the sheet."""
    import numpy as np

    from tonne.reports.sheets import Column, Sheet

    awards, cut = _awards(result, file), np.flatnonzero((result.awards < result.bids.quantity) | fate.capped)
    columns: tuple[Column, ...] = (
        Column("Bidder", words=True),
        Column("Bids"),
        Column("Bid for"),
        Column("Counted"),
        Column("Awarded"),
        Column("Cost", system.currency),
    )
    names = ("bids", "quantity", "counted", "award", "cost")
    tables = [
        Sheet(
            "Awards", columns, tuple((one["bidder"], *(f"{one[name]:,}" for name in names)) for one in awards[:SHOWN]), _more(len(awards), "bidders")
        )
    ]
    if by_row is not None:
        words = ("jurisdiction", "category", "vintage")
        columns = tuple(Column(name.capitalize(), words=name in words) for name in by_row[0])
        tables.append(Sheet("Sold of what was offered", columns, tuple(tuple(_cell(row[name], name) for name in row) for row in by_row)))
    if len(cut):
        fields = ("line", "bidder", "price", "quantity", "counted", "award")
        headings = (
            *(Column(name.capitalize(), system.currency if name == "price" else "", words=name == "bidder") for name in fields),
            Column("Reason", words=True),
        )
        cells = tuple((*(_cell(row[name], name) for name in fields), _why(row)) for row in _rows(result, file, cut[:SHOWN], fate))
        tables.append(Sheet("Bids that did not get all they asked for, or were capped", headings, cells, _more(len(cut), "bids")))
    return [*tables, _sheet_table(sheet, system)]


def _why(row: dict[str, Any]) -> str:
    """Every cause, in words."""
    causes = dict.fromkeys(word for word in (row["reason"], row["lost"]) if word)
    return ", ".join([WORDS[word] for word in causes] + (["capped at the ceiling"] if row["capped"] else []))


def _pair(item: dict[str, Any], currency: str) -> str:
    size = "size not known" if item["units"] is None else f"{item['units']:,} units"
    return f"{size} at {item['trigger']:,} {currency}"


def _more(count: int, what: str) -> str:
    return f"and {count - SHOWN:,} more {what} (--json has all)" if count > SHOWN else ""


def _cell(value: Any, name: str) -> str:
    if value is None:
        return "-"
    return str(value) if name in ("line", "bidder", "jurisdiction", "category", "vintage") else f"{value:,}"


def _sheet_table(sheet: dict[str, Any], system: Any) -> Any:
    """The results sheet, a line a field; what does not exist in this auction is left out."""
    from tonne.reports.sheets import Column, Sheet

    cells = []
    for name, value in sheet.items():
        if name == "distribution":
            value = ", ".join(f"{units:,}" for units in value[:SHOWN]) + (", ..." if len(value) > SHOWN else "")
        elif isinstance(value, dict):
            value = ", ".join(f"{kind or 'none'} {share} %" for kind, share in value.items() if share is not None)
        elif name == "reason":
            value = value.replace("_", " ")
        elif isinstance(value, (int, Decimal)):
            unit = f" {system.currency}" if name in MONEY else " %" if name.startswith("percent") else ""
            value = f"{value:,}{unit or (' units' if isinstance(value, int) and name not in COUNTS else '')}"
        if value not in (None, ""):
            cells.append((LABELS.get(name, name.replace("_", " ")), value))
    title = f"Results sheet (prices in {system.currency} for one unit; a unit is one {system.unit_name})"
    return Sheet(title, (Column("Field", words=True), Column("Value", words=True)), tuple(cells))
