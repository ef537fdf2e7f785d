"""`tonne contract`: what may be traded where, on what terms and from which source; when it ends."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, bold, console, day, emit, out, screen_width, today, wrapped

if TYPE_CHECKING:
    from tonne.law.contracts import ListedContract, Terms
    from tonne.law.faults import Fault
    from tonne.market.contract import Contract
    from tonne.market.expiry import Series

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Contracts of the venues: terms with their sources, and when they end.")
NEXT = 6  # expiries that `show` names
WITH_VENUE = 110  # columns from which the table of all has room for the venue

Id = Annotated[str | None, typer.Argument(metavar="[ID]", help="a contract, or a venue; all if left out")]
On = Annotated[str | None, typer.Option("--on", metavar="DAY", help="the day the terms are to hold on; today if left out")]
Known = Annotated[str | None, typer.Option("--known-on", metavar="DAY", help="as far as was published by then")]


@app.command(short_help="Terms of a contract with their sources, or all contracts in a table.")
def show(id: Id = None, on: On = None, known_on: Known = None, as_json: AsJson = False) -> None:
    """Terms of a contract on a day, each with its source and how sure it is, and the next expiries. Without ID: all venues and contracts."""
    from tonne.law import contracts as book

    wanted, known = day(on, "--on") or today(date.min), day(known_on, "--known-on")
    if id is None or (id in book.venues() and id not in book.contracts()):
        _table([id] if id else book.venues(), wanted, known, as_json)
        return
    listed = book.contract(id)
    terms = listed.at(wanted, known)
    contract, why_not = _tradable(terms)
    before = _before_unit(listed, terms)
    coming = _coming(contract, wanted) if contract is not None and not before else []
    if as_json:
        emit(_as_data(terms, why_not) | {"expiries": [_series(one) for one in coming], "before_unit": before or None})
        return
    _print(terms, why_not, coming, before)


@app.command(short_help="The last trading days of a year.")
def expiries(
    id: Annotated[str, typer.Argument(metavar="ID", help="a contract")],
    year: Annotated[int, typer.Option("--year", min=1990, max=2200, help="the year the contracts end in")],
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Last trading day and day of delivery of each month of a year, by the contract's rule as it stands on a day."""
    from tonne.law import contracts as book
    from tonne.market.expiry import last_listed, of_year

    listed = book.contract(id)
    wanted = day(on, "--on") or max(listed.starts or date.min, min(today(date.min), listed.ends or date.max))
    contract, why_not = _dated(listed.at(wanted))
    if contract is None:
        raise ValueError(why_not)
    last = last_listed(contract)
    found = of_year(contract, year, _underlying(contract, wanted))
    if as_json:
        told = {"contract": id, "year": year, "rule": contract.expiry, "holidays": contract.holidays, "from": listed.starts, "none_beyond": last}
        emit(told | {"expiries": [_series(one) for one in found]})
        return
    out(f"{bold(id)}  {_name(listed)}")
    wrapped("rule  ", _rule(contract))
    if found:
        out(f"\n{'month':<10}{'last trading day':<24}delivery")
    for one in found:
        out(f"{one.name:<10}{one.expiry:%Y-%m-%d %a}{'':<10}{_delivered(one)}")
    if last is not None and str(year) >= last[:4]:
        out(f"none beyond {last}")
    if listed.starts is None and year < today(date.min).year:
        wrapped("", "Start day not known: these are the days by the rule, and whether they were listed then is not known.")


def examine_venues() -> list[Fault]:
    """All faults of all venues that ship: their files, the rules of expiry, and terms that do not fit together. For `tonne check`."""
    from tonne.law import contracts as book
    from tonne.law.faults import Fault
    from tonne.market.expiry import RULES

    faults: list[Fault] = []
    for name in book.venues():
        found, own = book.examine(name, RULES)
        faults += own
        for listed in found.contracts if found is not None and not own else ():
            faults += [Fault(listed.file, listed.line, listed.id, reason) for reason in _misfits(listed)]
    return sorted(set(faults))


def _misfits(listed: ListedContract) -> list[str]:
    """What a market would say of a contract's terms on the first day each of its values holds, beyond that a term is not known."""
    from tonne.market.contract import Contract, ContractError
    from tonne.market.expiry import of_year

    days = {value.starts for values in listed.terms.values() for value in values if value.starts is not None} | {today(date.min)}
    first, last = listed.starts or date.min, listed.ends or date.max
    found = []
    for on in sorted(min(max(one, first), last) for one in days):
        terms = listed.at(on)
        if any(terms.values.get(name) is None for name in ("lot", "tick", "currency", "unit")) or _lacks_premium(terms):
            continue
        try:
            contract = Contract.of(listed.id, listed.venue, listed.kind, terms.values)
            if contract.expiry is not None and contract.expiry.get("rule") != "same_day":
                of_year(contract, on.year, _underlying(contract, on))
        except ContractError as error:
            found.append(str(error))
    return found


def _lacks_premium(terms: Terms) -> bool:
    return terms.contract.kind == "option" and terms.values.get("premium") is None


def _tradable(terms: Terms) -> tuple[Contract | None, str]:
    """The contract, or why it cannot be traded here."""
    from tonne.market.contract import Contract, ContractError

    listed = terms.contract
    if _lacks_premium(terms):
        return None, f"{listed.id}: not known: how its premium is paid; without it it cannot be traded here"
    try:
        return Contract.of(listed.id, listed.venue, listed.kind, terms.values), ""
    except ContractError as error:
        return None, str(error)


def _dated(terms: Terms) -> tuple[Contract | None, str]:
    """The contract for its dates alone: where lot, tick or premium are not known, one stands in, because no date depends on them."""
    from tonne.market.contract import Contract, ContractError

    listed = terms.contract
    stand_in: dict[str, Any] = {"unit": "unit", "lot": 1, "tick": 1, "currency": "XXX", "premium": "paid" if listed.kind == "option" else None}
    given = {name: value for name, value in terms.values.items() if value is not None}
    try:
        return Contract.of(listed.id, listed.venue, listed.kind, stand_in | given), ""
    except ContractError as error:
        return None, str(error)


def _underlying(contract: Contract, on: date) -> Contract | None:
    """What an option is exercised into, where its own terms are known."""
    from tonne.law import LawError
    from tonne.law import contracts as book

    if contract.underlying is None:
        return None
    try:
        return _dated(book.contract(contract.underlying).at(on))[0]
    except LawError:
        return None


def _before_unit(listed: ListedContract, terms: Terms) -> str:
    """That the day lies before the system whose unit this is; empty where it does not, or nothing tells."""
    from tonne.law import load, systems

    if listed.starts is not None or terms.day >= today(date.min):
        return ""
    books = [load(name).system for name in systems()]
    began = {one.begins for one in books if one.unit_code == terms.values.get("unit")}
    return f"There was no {terms.values['unit']} on {terms.day}: its system began on {min(began)}." if began and terms.day < min(began) else ""


def _coming(contract: Contract, on: date) -> list[Series]:
    """The next expiries; none where the contract has none, or does not say when or how many."""
    from tonne.market.contract import ContractError
    from tonne.market.expiry import listed, of_year

    if contract.expiry is None:
        return []
    underlying = _underlying(contract, on)
    try:
        return list(listed(contract, on, underlying))[:NEXT]
    except ContractError:
        pass
    try:
        years = [one for year in (on.year, on.year + 1) for one in of_year(contract, year, underlying)]
    except ContractError:
        return []
    return [one for one in years if one.expiry >= on][:NEXT]


# -- out


def _table(names: list[str], on: date, known_on: date | None, as_json: bool) -> None:
    from rich import box
    from rich.table import Table

    from tonne.law import NotYetInForce
    from tonne.law import contracts as book

    rows: list[dict[str, Any]] = []
    for name in names:
        venue = book.venue(name)
        for listed in venue.contracts:
            try:
                values = listed.at(on, known_on).values
            except NotYetInForce:
                continue
            rows.append(
                {
                    "venue": name, "contract": listed.id, "kind": listed.kind, "status": listed.status, "from": listed.starts,
                    "lot": values.get("lot"), "unit": values.get("unit"), "tick": values.get("tick"), "currency": values.get("currency"),
                }
            )  # fmt: skip
    without = [name for name in names if not book.venue(name).contracts]
    if as_json:
        emit({"on": on, "contracts": rows, "venues_without_contracts": without})
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    wide = screen_width() >= WITH_VENUE
    table.add_column("contract", no_wrap=True)
    if wide:
        table.add_column("venue", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("lot", no_wrap=True, justify="right")
    table.add_column("of", min_width=6, overflow="fold")
    table.add_column("tick", no_wrap=True, justify="right")
    for row in rows:
        lot, tick = row["lot"], row["tick"]
        kind = row["kind"].replace("_", " ") + (f", {row['status']}" if row["status"] != "listed" else "")
        table.add_row(
            row["contract"], *([row["venue"]] if wide else []), kind,
            f"{lot:,}" if lot is not None else "?", row["unit"] or "", f"{f'{tick:f}' if tick is not None else '?'} {row['currency'] or '?'}",
        )  # fmt: skip
    console().print(table)
    out()
    told = "a lot is so many units, a tick so much money a unit, ?: not known. One of them whole: tonne contract show ID"
    wrapped("", f"{len(rows)} contracts on {on}; {told}")
    unsure = [row["contract"] for row in rows if row["from"] is None]
    if unsure and on < today(date.min):
        wrapped("", f"Start day not known, so that they may not have been listed on {on}: {', '.join(unsure)}.")
    if without:
        wrapped("", f"Venues of which no contract is known well enough: {', '.join(without)} (see their gaps.md).")


def _print(terms: Terms, why_not: str, coming: list[Series], before: str) -> None:

    listed = terms.contract
    out(f"{bold(listed.id)}  {_name(listed)}")
    span = f", from {listed.starts}" if listed.starts else ", start day not known"
    out(f"{listed.kind} on {listed.venue}, {listed.status}{span}; terms on {terms.day}{f' as known on {terms.known_on}' if terms.known_on else ''}\n")
    sources: list[str] = []
    for name, entry in terms.entries.items():
        if entry.source not in sources:
            sources.append(entry.source)
        mark = f"[{sources.index(entry.source) + 1}]" + ("" if entry.confidence == "source" else f" {entry.confidence}")
        told = f"; law of {entry.law}, {entry.parameter}{f' ({entry.key})' if entry.key else ''}" if entry.law else ""
        since = f"; since {entry.starts}" if entry.starts and entry.starts != listed.starts else ""
        wrapped(f"  {name:<23}", f"{_in_units(name, terms)}  {mark}{since}{told}")
        if entry.note:
            wrapped(" " * 25, f"note: {entry.note}")
    for note in listed.notes:
        wrapped("  note  ", note)
    if before:
        out()
        wrapped("", before)
    if coming:
        out(f"\n{bold('Next expiries')}")
        for one in coming:
            out(f"  {one.name:<12}last trading day {one.expiry:%Y-%m-%d %a}   delivery {_delivered(one)}")
    if why_not:
        out()
        wrapped("", f"Cannot be traded here: {why_not}")
    out(f"\n{bold('Sources')}")
    for number, source in enumerate(sources, 1):
        wrapped(f"  [{number}] ", source)


def _in_units(name: str, terms: Terms) -> str:
    """A term as text; lot and tick with what they are in."""
    from tonne.law.contracts import shown

    value, unit = terms.values[name], terms.values.get({"lot": "unit", "tick": "currency"}.get(name, ""))
    if value is None or unit is None:
        return shown(value)
    return f"{value:,} {unit}" if name == "lot" else f"{value:f} {unit}"


def _as_data(terms: Terms, why_not: str) -> dict[str, Any]:
    listed = terms.contract
    entries = {
        name: {
            "value": entry.value, "source": entry.source, "confidence": entry.confidence, "from": entry.starts, "note": entry.note,
            "law": entry.law or None, "parameter": entry.parameter or None,
        }
        for name, entry in terms.entries.items()
    }  # fmt: skip
    return {
        "contract": listed.id, "venue": listed.venue, "name": listed.name, "kind": listed.kind, "status": listed.status, "from": listed.starts,
        "until": listed.ends, "on": terms.day, "known_on": terms.known_on, "terms": entries, "notes": listed.notes, "tradable": not why_not,
        "why_not": why_not or None,
    }  # fmt: skip


def _series(one: Series) -> dict[str, Any]:
    return {"month": one.name, "last_trading_day": one.expiry, "delivery": one.delivery}


def _delivered(one: Series) -> str:
    return f"{one.delivery:%Y-%m-%d %a}" if one.delivery is not None else "not known"


def _name(listed: ListedContract) -> str:
    return str(listed.name.get("en", ""))


def _rule(contract: Contract) -> str:
    from tonne.law.contracts import shown

    rule = dict(contract.expiry or {})
    name = rule.pop("rule", "not known")
    return f"{name}{f' ({shown(rule)})' if rule else ''}, calendar {contract.holidays or 'Monday to Friday'}"
