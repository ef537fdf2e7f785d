"""Found a market, and register who and what takes part: participants, installations, accounts, unit types."""

from __future__ import annotations

import polars as pl

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, text, whole
from tonne.administration.permissions import ADMINISTRATOR, LAW, role_of
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
    """Body: system, scenario (`` for none), first_year. Opens the market's own accounts and the currency."""
    if len(state.accounts):
        raise Refusal("already_done", "the market is founded")
    if text(command, "system") != state.rulebook.system.id:
        raise Refusal("malformed", f"this log is for {state.rulebook.system.id}, not for {command.body['system']}")
    first_year = whole(command, "first_year", 1900)
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
        {"event": "founded", "day": command.day.isoformat(), "system": command.body["system"], "scenario": command.body.get("scenario", "")},
        {"event": "accounts_opened", "table": "accounts"},
        {"event": "unit_type_added", "code": currency, "kind": "money", "vintage": None, "measure": f"{currency} minor unit"},
        {"event": "published", "what": "first_year", "year": first_year, "day": command.day.isoformat()},
    ]
    return Decision(events, {"accounts": accounts})


def register_participant(state: State, command: Command) -> Decision:
    """Body: participant, name, role, country."""
    member = Participant(text(command, "participant"), text(command, "name"), text(command, "role"), command.body.get("country") or "")
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
    events = [{"event": "installations_registered", "table": "command/installations"}, {"event": "accounts_opened", "table": "accounts"}]
    return Decision(events, {"accounts": accounts})


def close_installation(state: State, command: Command) -> Decision:
    """Body: installation, year (the last with emissions)."""
    installation = text(command, "installation")
    if installation not in state.installations:
        raise Refusal("unknown_installation", f"no installation {installation!r}")
    state.installations.with_closed(installation, whole(command, "year", 1900))
    return Decision([{"event": "installation_closed", "installation": installation, "year": command.body["year"]}])


def open_account(state: State, command: Command) -> Decision:
    """Body: account (id), kind, holder. Others than the administrator open trading and cash accounts for themselves."""
    account, kind = text(command, "account"), text(command, "kind")
    holder = command.body.get("holder") or command.by
    if kind not in KINDS:
        raise Refusal("malformed", f"unknown kind of account {kind!r}; there are {', '.join(KINDS)}")
    if command.by != ADMINISTRATOR and (holder != command.by or kind != "trading"):
        raise Refusal("not_permitted", f"{command.by!r} may open trading accounts for itself")
    if holder != ADMINISTRATOR and not role_of(state, holder):
        raise Refusal("unknown_participant", f"nobody is registered as {holder!r}")
    if account in state.accounts:
        raise Refusal("already_exists", f"account {account!r} is open")
    return Decision([{"event": "account_opened", "account": account, "kind": kind, "holder": holder}])


def open_accounts(state: State, command: Command) -> Decision:
    """Table `accounts`: account, kind, holder, installation."""
    frame = command.tables.get("accounts")
    if not isinstance(frame, pl.DataFrame) or any(name not in frame.columns for name in ACCOUNT_SCHEMA):
        raise Refusal("malformed", f"open_accounts carries a table 'accounts' with {', '.join(ACCOUNT_SCHEMA)}")
    there = [account for account in frame["account"].to_list() if account in state.accounts]
    if there or frame["account"].n_unique() != frame.height:
        raise Refusal("already_exists", f"open already or twice in the table: {', '.join(there[:5]) or 'duplicates'}")
    unknown = sorted(set(frame["kind"].to_list()) - set(KINDS))
    if unknown:
        raise Refusal("malformed", f"unknown kinds of account {', '.join(map(str, unknown))}; there are {', '.join(KINDS)}")
    return Decision([{"event": "accounts_opened", "table": "command/accounts"}])


def set_account_flags(state: State, command: Command) -> Decision:
    """Body: account, flags (names of AccountFlag): block, close, make one-way. The flags given replace those there are."""
    account = text(command, "account")
    if account not in state.accounts:
        raise Refusal("unknown_account", f"no account {account!r}")
    flags = AccountFlag.NONE
    for name in command.body.get("flags", []):
        if name not in AccountFlag.__members__:
            raise Refusal("malformed", f"unknown flag {name!r}; there are {', '.join(AccountFlag.__members__)}")
        flags |= AccountFlag[name]
    return Decision([{"event": "flags_set", "account": account, "flags": int(flags)}])


def add_unit_type(state: State, command: Command) -> Decision:
    """Body: code, kind, measure, vintage (or null)."""
    code = text(command, "code")
    if state.unit(code) >= 0:
        raise Refusal("already_exists", f"unit type {code!r} is there")
    event = {"event": "unit_type_added", "code": code, "kind": text(command, "kind"), "measure": text(command, "measure")}
    return Decision([event | {"vintage": command.body.get("vintage")}])
