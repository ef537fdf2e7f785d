"""`tonne margin`: what positions gained today, and the initial margin that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, console, emit, out, say, wrapped

if TYPE_CHECKING:
    import polars as pl

    from tonne.clearing.margin import Book, Margin, Scenario
    from tonne.formats.margin_parameters import MarginParameters
    from tonne.units import IntArray

#: No initial-margin rate of any carbon future is public in the sources of this project, so none is a default: whoever asks for margins gives them.
EXAMPLE = """\
# What `tonne margin POSITIONS --contracts THIS-FILE` works with. ILLUSTRATION: every figure is invented, none is a clearing house's.
label: illustration, invented figures
rate: 0.02                      # a year's interest, for options whose premium is paid at the trade
families:
  allowance:
    currency: EUR
    lot: 1000                   # units in one lot
    price_scan: 6.00            # how far the price may move in a day or two, money per unit
    volatility_scan: 0.10       # and the volatility: ten points
    spread_charge: 150          # money per lot long in one month against a lot short in another
    short_option_minimum: 50    # money per option written
    delivery_charge: 800        # money per lot in instruments that are `delivering`
    extreme_multiple: 3         # two of the sixteen scenarios move the price so many scan ranges;
    extreme_share: 0.33         # this share of what they lose counts
instruments:
  "allowance:2026-12": {family: allowance, tick: 0.01, month: 2026-12, previous: 82.90, price: 83.60}
  "allowance:2027-12": {family: allowance, tick: 0.01, month: 2027-12, previous: 85.10, price: 85.75}
  "allowance:2026-12:call:90":  # an option; without a `price` the model gives it
    {family: allowance, tick: 0.01, right: call, strike: 90, volatility: 0.38, days: 24, premium: paid, underlying: "allowance:2026-12"}
credits: []                     # - {families: [allowance, other], share: 0.50, lots: [1, 1]}
"""


_PARTS = {
    "scan": "Scan",
    "spread": "Spread",
    "delivery": "Delivery",
    "credit": "Credit",
    "minimum": "Minimum",
    "risk": "Margin",
    "option_value": "Option value",
}
_TOTALS = {"variation": "Variation", "premium": "Premium", "option_value": "Option value", "initial_margin": "Initial margin", "total": "To be found"}
_LEGEND = (
    "Variation, premium: received today (below 0: paid). Initial margin: of all families, less the value of paid options, never below 0. "
    "To be found: initial margin less what was received today."
)


def margin(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="positions (CSV, Parquet): account, instrument, lots; price for today's trades")
    ] = None,
    contracts: Annotated[Path | None, typer.Option("--contracts", metavar="FILE", help="margin parameters and prices (YAML)")] = None,
    example: Annotated[bool, typer.Option("--example", help="print such a file, with invented figures, to start from")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="leave out rows with faults instead of refusing the file")] = False,
    rejects: Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="write all faults of the positions there")] = None,
    as_json: AsJson = False,
) -> None:
    """Variation, premium and initial margin of each account. Margin rates are given, never assumed: `--example` prints a file to start from."""
    if example and as_json:
        raise typer.BadParameter("the example is a YAML file to start from; leave out --json", param_hint="--example")
    if example:
        out(EXAMPLE.rstrip())
        return
    if file is None:
        raise typer.BadParameter("which positions? give a file with the columns account, instrument, lots", param_hint="FILE")
    if contracts is None:
        told = "margin rates have no default here; give a file (tonne margin --example > contracts.yaml prints one with invented figures)"
        raise typer.BadParameter(told, param_hint="--contracts")
    from tonne.formats.margin_parameters import read_margin_parameters
    from tonne.formats.positions import Listed, read_positions

    parameters = read_margin_parameters(contracts)
    known = {
        code: Listed(Decimal(one["tick"]), carried="previous" in one or one.get("premium") == "paid") for code, one in parameters.instruments.items()
    }
    frame, faults, ignored = read_positions(file, known, skip_bad=skip_bad, rejects=rejects)
    if faults:
        say(f"{len(faults):,} faults; their rows were left out")
    try:
        statement = _worked_out(parameters, frame)
    except OverflowError as error:
        raise ValueError(f"{file}: a sum is too large to be exact ({error}); are lots, prices and the lot in {contracts} right?") from None
    if as_json:
        emit(_as_plain(statement) | {"faults": [str(fault) for fault in faults], "ignored_columns": ignored})
        return
    _show(statement)
    if ignored:
        wrapped("", f"Not looked at: the column{'s' * (len(ignored) != 1)} {', '.join(ignored)} of {file}.")


@dataclass(frozen=True, slots=True)
class _Statement:
    """All that is told: parameters, book, accounts, positions at the day's end, margin, and by account x currency variation and premium."""

    parameters: MarginParameters
    book: Book
    accounts: list[str]
    positions: IntArray
    margin: Margin
    variation: IntArray
    premium: IntArray


def _book_of(parameters: MarginParameters) -> Book:
    """Families and instruments for the margin room; an option without a price gets the model's, to the tick."""
    from tonne.clearing.margin import Book, Credit, Family, Held
    from tonne.clearing.option import Option

    families = tuple(Family(name=name, **values) for name, values in parameters.families.items())
    instruments = []
    for code, one in parameters.instruments.items():
        option = future = None
        month = str(one.get("month", code))
        price: Any = one.get("price")
        if "right" in one:
            below = parameters.instruments[one["underlying"]]
            option = Option(one["right"], one["strike"], one["volatility"], one["days"], parameters.rate, one["premium"])
            future, month = below["price"], str(below.get("month", one["underlying"]))
            price = option.ticks(future, one["tick"]) * one["tick"] if price is None else price
        delivering = one.get("delivering", False)
        instruments.append(Held(code=code, family=one["family"], price=price, month=month, option=option, future=future, delivering=delivering))
    credits = tuple(Credit(families=tuple(one["families"]), share=one["share"], lots=tuple(one.get("lots", (1, 1)))) for one in parameters.credits)
    return Book(families, tuple(instruments), credits)


def _worked_out(parameters: MarginParameters, frame: pl.DataFrame) -> _Statement:
    """Positions at the day's end, their margin, and what each account gained (carried lots from the previous price, trades from their own)."""
    import numpy as np

    from tonne.clearing.exact import times
    from tonne.clearing.margin import initial_margin
    from tonne.units import decimals_of

    book = _book_of(parameters)
    accounts = frame["account"].unique(maintain_order=True).to_list()
    of_account, of_code = {name: row for row, name in enumerate(accounts)}, {one.code: column for column, one in enumerate(book.instruments)}
    families = [book.families[book.by_name[one.family]] for one in book.instruments]
    ticks = [Fraction(parameters.instruments[one.code]["tick"]) for one in book.instruments]
    values = np.array([int(tick * family.lot * 10 ** decimals_of(family.currency)) for tick, family in zip(ticks, families, strict=True)], np.int64)
    paid = np.array([one.option is not None and one.option.premium == "paid" for one in book.instruments])
    now = np.array(
        [0 if bought else int(Fraction(one.price) / tick) for one, tick, bought in zip(book.instruments, ticks, paid, strict=True)], np.int64
    )
    previous = [Fraction(parameters.instruments[one.code].get("previous", 0)) for one in book.instruments]

    rows = np.array([of_account[name] for name in frame["account"]], np.int64)
    columns = np.array([of_code[code] for code in frame["instrument"]], np.int64)
    lots = frame["lots"].to_numpy()
    traded = frame["price"].is_not_null().to_numpy()
    before = [previous[at] if price is None else Fraction(price) for at, price in zip(columns, frame["price"], strict=True)]
    start = np.array([int(price / ticks[at]) for at, price in zip(columns, before, strict=True)], np.int64)
    money = times("a day's money", times("a day's money", now[columns] - start, values[columns]), lots)
    if sum(map(abs, money.tolist())) > np.iinfo(np.int64).max:
        raise OverflowError("a day's money of all accounts")
    places = np.array([book.currencies.index(family.currency) for family in families])[columns]
    positions = np.zeros((len(accounts), len(book.instruments)), np.int64)
    np.add.at(positions, (rows, columns), lots)
    moved, premium = (np.zeros((len(accounts), len(book.currencies)), np.int64) for _ in range(2))
    np.add.at(moved, (rows, places), np.where(paid[columns], 0, money))
    np.add.at(premium, (rows, places), np.where(paid[columns] & traded, money, 0))
    return _Statement(parameters, book, accounts, positions, initial_margin(positions, book), moved, premium)


def scenario_words(scenario: Scenario, family: Any, *, options: bool = True) -> str:
    """A scenario in the family's own figures: `price -6.00, volatility +10 points`; volatility only where `options` are held."""
    from tonne.units import NEAREST, round_decimal

    move = scenario.price * Fraction(family.price_scan) * (Fraction(family.extreme_multiple) if scenario.extreme else 1)
    text = "price unmoved" if move == 0 else f"price {round_decimal(move, '0.01', NEAREST):+}"
    if options and scenario.volatility and family.volatility_scan:
        text += f", volatility {round_decimal(scenario.volatility * Fraction(family.volatility_scan) * 100, '1', NEAREST):+} points"
    return text + (f" ({round_decimal(Fraction(family.extreme_share) * 100, '1', NEAREST)} % counts)" if scenario.extreme else "")


def _families_of(statement: _Statement, row: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each family in which an account holds anything, with its parts in minor units."""
    from tonne.units import Money

    margins = statement.margin
    for place, family in enumerate(statement.book.families):
        if not statement.positions[row, statement.book.members(place)].any():
            continue
        parts = {name: Money(int(getattr(margins, name)[row, place]), family.currency) for name in _PARTS}
        worst = int(margins.worst[row, place])
        held = [statement.book.instruments[at] for at in statement.positions[row].nonzero()[0].tolist()]
        options = any(one.option is not None for one in held if one.family == family.name)
        words = scenario_words(statement.book.scenarios[worst - 1], family, options=options) if worst else "none loses"
        yield family, {"worst_scenario": worst, "worst_in_words": words} | parts


def _totals(statement: _Statement, row: int) -> Iterator[dict[str, Any]]:
    """An account's money in each currency in which it holds or moved anything."""
    from tonne.units import Money

    held = {family.currency for family, _ in _families_of(statement, row)}
    for place, currency in enumerate(statement.book.currencies):
        moved, paid, required = (int(part[row, place]) for part in (statement.variation, statement.premium, statement.margin.required))
        if currency in held or moved or paid:
            value = sum(
                int(statement.margin.option_value[row, at]) for at, family in enumerate(statement.book.families) if family.currency == currency
            )
            amounts = {"variation": moved, "premium": paid, "option_value": value, "initial_margin": required, "total": required - moved - paid}
            yield {"currency": currency} | {name: Money(amount, currency) for name, amount in amounts.items()}


def _as_plain(statement: _Statement) -> dict[str, Any]:
    from tonne.units import Money

    def plain(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value.amount if isinstance(value, Money) else value for name, value in values.items()}

    return {
        "label": statement.parameters.label,
        "prices": {one.code: one.price for one in statement.book.instruments},
        "accounts": [
            {
                "account": name,
                "families": [{"family": family.name, "currency": family.currency} | plain(parts) for family, parts in _families_of(statement, row)],
                "totals": [plain(total) for total in _totals(statement, row)],
            }
            for row, name in enumerate(statement.accounts)
        ],
        "not_balanced": _not_balanced(statement),
    }


def _not_balanced(statement: _Statement) -> dict[str, int]:
    """Lots by instrument by which longs and shorts differ: a whole clearing house has none, one member's file may."""
    sums = statement.positions.sum(axis=0)
    return {one.code: int(total) for one, total in zip(statement.book.instruments, sums, strict=True) if total}


def _show(statement: _Statement) -> None:
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    found = [(account, family, parts) for row, account in enumerate(statement.accounts) for family, parts in _families_of(statement, row)]
    shown = {name: head for name, head in _PARTS.items() if name in ("scan", "risk") or any(parts[name].minor for _, _, parts in found)}
    label = f" ({statement.parameters.label})" if statement.parameters.label else ""
    by_family = Sheet(
        f"Margin by account and family{label}",
        (*(Column(head, words=True) for head in ("Account", "Family", "Currency", "Worst scenario")), *(Column(head) for head in shown.values())),
        tuple(
            (account, family.name, family.currency, parts["worst_in_words"], *(f"{parts[name].amount:,}" for name in shown))
            for account, family, parts in found
        ),
    )
    by_account = Sheet(
        "By account",
        (*(Column(head, words=True) for head in ("Account", "Currency")), *(Column(head) for head in _TOTALS.values())),
        tuple(
            (account, total["currency"], *(f"{total[name].amount:,}" for name in _TOTALS))
            for row, account in enumerate(statement.accounts)
            for total in _totals(statement, row)
        ),
    )
    for sheet in (by_family, by_account):
        for table in rich_tables(sheet, console().width):
            console().print(table)
        out()
    wrapped("", _LEGEND)
    wrapped("", _balance_in_words(statement))


def _balance_in_words(statement: _Statement) -> str:
    """Whether this can be a whole clearing house: lots and the day's money add up to nothing there."""
    from tonne.units import Money

    off = _not_balanced(statement)
    if off:
        told = ", ".join(f"{code} {lots:+,}" for code, lots in list(off.items())[:10])
        return f"Not a whole clearing house: longs and shorts differ in {len(off)} instrument{'s' * (len(off) != 1)} ({told} lots)."
    sums = (statement.variation + statement.premium).sum(axis=0)
    odd = [str(Money(int(total), currency)) for total, currency in zip(sums, statement.book.currencies, strict=True) if total]
    if odd:
        return (
            f"Longs and shorts are equal in every instrument, but the day's money adds up to {', '.join(odd)}: a trade lacks its other side's price."
        )
    return "Longs and shorts are equal in every instrument, and what some received today others paid."
