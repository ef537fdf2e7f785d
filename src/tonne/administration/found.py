"""Found a market, and register who and what takes part: participants, installations, accounts, unit types."""

from __future__ import annotations

import polars as pl

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, optional_text, table, text, year_of
from tonne.administration.evolve import own_flags
from tonne.administration.listing import EXCHANGE_ACCOUNTS
from tonne.administration.permissions import ADMINISTRATOR, LAW, is_authority, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.ledger import AccountFlag
from tonne.registers.accounts import ACCOUNT_SCHEMA, KINDS
from tonne.registers.installations import Installations
from tonne.registers.participants import Participant

#: The accounts every market has from its first day: id -> kind.
SYSTEM_ACCOUNTS = {
    "issuance": "issuance",
    "total-quantity": "total_quantity",
    "auction": "auction",
    "stability-reserve": "stability_reserve",
    "surrendered": "surrendered",
    "cancelled": "cancelled",
    "invalidated": "invalidated",
    "outside": "outside",
    "bank": "outside",
    "remainder": "remainder",
    "treasury": "cash",
}


def operator_account(installation: str) -> str:
    """The id of an installation's account."""
    return f"operator:{installation}"


def found(state: State, command: Command) -> Decision:
    """Body: system, scenario (`` for none), first_year, two_persons (true: what holders move is proposed by one person and approved by another).
    Opens the market's own accounts and the currency."""
    if len(state.accounts):
        raise Refusal("already_done", "the market is founded")
    system, scenario = text(command, "system"), optional_text(command, "scenario")
    if (system, scenario) != (state.rulebook.system.id, state.rulebook.scenario):
        named = f"{state.rulebook.system.id}{f' in scenario {state.rulebook.scenario}' if state.rulebook.scenario else ''}"
        raise Refusal("malformed", f"this log is for {named}, not for {system}{f' in scenario {scenario}' if scenario else ''}")
    first_year = year_of(command, "first_year")
    two_persons = command.body.get("two_persons", False)
    if not isinstance(two_persons, bool):
        raise Refusal("malformed", f"two_persons is true or false, not {two_persons!r}")
    state.rulebook.at(command.day)  # refuses a day before the system
    accounts = pl.DataFrame(
        {
            "account": list(SYSTEM_ACCOUNTS),
            "kind": list(SYSTEM_ACCOUNTS.values()),
            "holder": [ADMINISTRATOR] * len(SYSTEM_ACCOUNTS),
            "installation": pl.Series([None] * len(SYSTEM_ACCOUNTS), dtype=pl.String),
        },
        schema=ACCOUNT_SCHEMA,
    )
    currency = state.rulebook.system.currency
    events = [
        {"event": "founded", "day": command.day.isoformat(), "system": system, "scenario": scenario} | ({"two_persons": True} if two_persons else {}),
        {"event": "accounts_opened", "table": "accounts"},
        {"event": "unit_type_added", "code": currency, "kind": "money", "vintage": None, "measure": f"{currency} minor unit"},
        {"event": "published", "what": "first_year", "year": first_year, "day": command.day.isoformat()},
    ]
    return Decision(events, {"accounts": accounts})


def register_participant(state: State, command: Command) -> Decision:
    """Body: participant, name, role, country."""
    member = Participant(text(command, "participant"), text(command, "name"), text(command, "role"), optional_text(command, "country"))
    if member.id in state.participants or member.id in (LAW, ADMINISTRATOR):
        raise Refusal("already_exists", f"a participant {member.id!r} is registered")
    return Decision(
        [{"event": "participant_registered", "participant": member.id, "name": member.name, "role": member.role, "country": member.country}]
    )


def register_installations(state: State, command: Command) -> Decision:
    """Table `installations` in the register's columns: registers them and opens an account for each, held by its operator."""
    frame = command.tables.get("installations")
    if not isinstance(frame, pl.DataFrame) or not frame.height:
        raise Refusal("malformed", "register_installations carries a table 'installations'")
    new = Installations(frame).frame
    state.installations.add(new.join(state.installations.frame, on="installation", how="anti"))  # refuses a registry account that is another's
    known = new.join(state.installations.frame.select("installation"), on="installation", how="semi")
    if known.height:
        shown = ", ".join(known["installation"].head(5).to_list())
        raise Refusal("already_exists", f"{known.height} installations are registered already, such as {shown}")
    accounts = new.select(
        account=pl.format("operator:{}", "installation"),
        kind=pl.lit("operator"),
        holder=pl.coalesce("operator", pl.format("operator of {}", "installation")),
        installation=pl.col("installation"),
    )
    _require_new(state, accounts["account"])
    events = [{"event": "installations_registered", "table": "command/installations"}, {"event": "accounts_opened", "table": "accounts"}]
    return Decision(events, {"accounts": accounts})


def _require_new(state: State, accounts: pl.Series) -> None:
    there = [account for account in accounts.to_list() if account in state.accounts]
    if there or accounts.n_unique() != accounts.len():
        raise Refusal("already_exists", f"accounts open already, or twice in the table: {', '.join(there[:5]) or 'twice in the table'}")


def close_installation(state: State, command: Command) -> Decision:
    """Body: installation, year (the last with emissions)."""
    installation = text(command, "installation")
    if installation not in state.installations:
        raise Refusal("unknown_installation", f"no installation {installation!r}")
    year = year_of(command)
    state.installations.with_closed(installation, year)  # refuses what does not fit the register
    return Decision([{"event": "installation_closed", "installation": installation, "year": year}])


def open_account(state: State, command: Command) -> Decision:
    """Body: account (id), kind, holder. Others than the authority open trading accounts for themselves; `operator:` begins an installation's."""
    account, kind = text(command, "account"), text(command, "kind")
    holder = optional_text(command, "holder", command.by)
    if kind not in KINDS:
        raise Refusal("malformed", f"unknown kind of account {kind!r}; there are {', '.join(KINDS)}")
    if account != account.strip() or not account.isprintable():
        raise Refusal("malformed", f"an account's id has no blanks around it and no signs that cannot be seen, as {account!r} has")
    if not is_authority(state, command) and (holder != command.by or kind != "trading" or account.startswith(operator_account(""))):
        reason = f"{command.by!r} may open trading accounts for itself, under ids that do not begin with {operator_account('')!r}"
        raise Refusal("not_permitted", reason)
    if not role_of(state, holder):
        raise Refusal("unknown_participant", f"nobody is registered as {holder!r}")
    if account in state.accounts:
        raise Refusal("already_exists", f"account {account!r} is open")
    return Decision([{"event": "account_opened", "account": account, "kind": kind, "holder": holder}])


def open_accounts(state: State, command: Command) -> Decision:
    """Table `accounts`: account, kind, holder, installation."""
    frame = table(command, "accounts", ACCOUNT_SCHEMA, may_be_empty=("installation",))
    _require_new(state, frame["account"])
    unknown = sorted(set(frame["kind"].to_list()) - set(KINDS))
    if unknown:
        raise Refusal("malformed", f"unknown kinds of account {', '.join(unknown)}; there are {', '.join(KINDS)}")
    return Decision([{"event": "accounts_opened", "table": "accounts"}], {"accounts": frame})


def set_account_flags(state: State, command: Command) -> Decision:
    """Body: account, flags (names of AccountFlag): block, close, make one-way. The flags given replace those there are; what an account has by
    its kind (most may not be overdrawn) it keeps. Orders of it that are in the book are taken out first: their trades could not be carried out."""
    account = text(command, "account")
    if account not in state.accounts:
        raise Refusal("unknown_account", f"no account {account!r}")
    number = state.accounts.number(account)
    flags = own_flags(state.accounts.kinds[number])
    names = command.body.get("flags")
    if not isinstance(names, list) or any(name not in list(AccountFlag.__members__) for name in names):
        raise Refusal("malformed", f"flags are a list of {', '.join(AccountFlag.__members__)}, not {names!r}")
    for name in names:
        flags |= AccountFlag[name]
    if flags == state.books.flags()[number]:
        raise Refusal("nothing_to_do", f"account {account!r} has these flags already")
    if account in state.freezes and not flags & AccountFlag.BLOCKED:
        raise Refusal("account_frozen", f"account {account!r} is frozen and stays blocked; `unfreeze` ends that")
    require_unengaged(state, number, flags)
    return Decision([{"event": "flags_set", "account": account, "flags": int(flags)}])


def require_unengaged(state: State, number: int, flags: AccountFlag) -> None:
    """New flags do not break what the account has promised. Raises Refusal: `not_permitted`, `orders_open`."""
    exchange, name = state.exchange, state.accounts.ids[number]
    own = {member[part] for member in exchange.members for part in ("position", "collateral", "fund")}
    if exchange.venue and (number in own or name in EXCHANGE_ACCOUNTS):
        raise Refusal("not_permitted", f"account {name!r} is run by the exchange: flag the member's trading account instead")
    member = exchange.member(number)
    if member < 0 or not flags & (AccountFlag.BLOCKED | AccountFlag.CLOSED | AccountFlag.ONE_WAY):
        return
    if exchange.book is not None and (exchange.book.open_orders()["account"] == number).any():
        raise Refusal("orders_open", f"orders of {name!r} are in the book; instruct `kill` first, which takes them out and lets none in")
    if flags & AccountFlag.CLOSED:
        waiting = (exchange.due["buyer"] == number) | (exchange.due["seller"] == number)
        if waiting.any() or exchange.position[member].any() or exchange.owed[member].any():
            raise Refusal("orders_open", f"{name!r} has agreements, positions or debts that are not settled; settle them first, or block it only")


def add_unit_type(state: State, command: Command) -> Decision:
    """Body: code, kind, measure, vintage (or null)."""
    code = text(command, "code")
    if state.unit(code) >= 0:
        raise Refusal("already_exists", f"unit type {code!r} is there")
    event = {"event": "unit_type_added", "code": code, "kind": text(command, "kind"), "measure": text(command, "measure")}
    return Decision([event | {"vintage": year_of(command, "vintage") if command.body.get("vintage") is not None else None}])
