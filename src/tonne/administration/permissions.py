"""Who may do what. A role may send a verb; some verbs also ask whose account or installation it is."""

from __future__ import annotations

from collections.abc import Iterable

from tonne.administration.commands import Command
from tonne.administration.refusals import Refusal
from tonne.administration.state import State

#: The calendar itself acts under this name; nobody can register it.
LAW = "law"
#: The authority that founded the market.
ADMINISTRATOR = "administrator"

#: Kinds of accounts that participants hold.
HELD = frozenset({"operator", "trading", "remainder", "cash", "collateral"})

ADMIN_ONLY = frozenset({ADMINISTRATOR})
#: Roles in which people propose and approve; whether they may do what they propose is asked again for that itself.
PROPOSERS = frozenset({"operator", "trader", "verifier", "auctioneer", "venue", "bank"})
#: verb that may be proposed -> who needs a second person for it.
#:   always     whoever is not the authority: a list of trusted accounts is changed by two or not at all
#:   holder     holders move units and money, in a market that was founded with `two_persons`; so do persons of the authority
#:   authority  a person of the authority, in such a market: blocking, reversal, a change of the law. Its programs, which name no person, do not wait
#:   choice     nobody; a platform may ask for it. Orders and bids are not here: they stay inside limits that two people set
TWO_PERSONS: dict[str, str] = {
    "trust_account": "always",
    "distrust_account": "always",
    "transfer": "holder",
    "surrender": "holder",
    "cancel": "holder",
    "withdraw": "holder",
    "set_account_flags": "authority",
    "close_installation": "authority",
    "correct_report": "authority",
    "amend": "authority",
    "purchase": "choice",
    "deposit": "choice",
    "report": "choice",
    "verify": "choice",
}
#: verb -> roles that may send it. What is not listed here nobody may send.
VERBS: dict[str, frozenset[str]] = {
    "found": ADMIN_ONLY,
    "register_participant": ADMIN_ONLY,
    "register_installations": ADMIN_ONLY,
    "close_installation": ADMIN_ONLY,
    "open_account": ADMIN_ONLY | {"operator", "trader", "auctioneer"},
    "open_accounts": ADMIN_ONLY,
    "set_account_flags": ADMIN_ONLY,
    "file_activity": ADMIN_ONLY | {"operator"},
    "entitle": ADMIN_ONLY,
    "report": ADMIN_ONLY | {"operator"},
    "verify": ADMIN_ONLY | {"verifier"},
    "correct_report": ADMIN_ONLY,
    "add_unit_type": ADMIN_ONLY,
    "open_balance": ADMIN_ONLY,
    "bring_forward": ADMIN_ONLY,
    "auction_calendar": ADMIN_ONLY | {"auctioneer"},
    "offer": ADMIN_ONLY | {"auctioneer"},
    "sell": ADMIN_ONLY | {"auctioneer"},
    "transfer": ADMIN_ONLY | {"operator", "trader"},
    "import_transfers": ADMIN_ONLY,
    "surrender": ADMIN_ONLY | {"operator"},
    "purchase": ADMIN_ONLY | {"operator"},
    "cancel": ADMIN_ONLY | {"operator", "trader"},
    "amend": ADMIN_ONLY,
    "deposit": ADMIN_ONLY | {"bank"},
    "withdraw": ADMIN_ONLY | {"operator", "trader", "venue"},
    "open_exchange": ADMIN_ONLY | {"venue"},
    "admit": ADMIN_ONLY | {"venue"},
    "list_instrument": ADMIN_ONLY | {"venue"},
    "orders": ADMIN_ONLY | {"operator", "trader", "venue"},
    "report_trade": ADMIN_ONLY | {"venue"},
    "propose_trade": ADMIN_ONLY | {"operator", "trader"},
    "answer_trade": ADMIN_ONLY | {"operator", "trader"},
    "put_out": ADMIN_ONLY | {"operator", "trader"},
    "bid_one_way": ADMIN_ONLY | {"operator", "trader"},
    "close_one_way": ADMIN_ONLY | {"venue"},
    "settle": ADMIN_ONLY | {"venue"},
    "buy_in": ADMIN_ONLY | {"venue"},
    "close_day": ADMIN_ONLY | {"venue"},
    "call_margin": ADMIN_ONLY | {"venue"},
    "collect": ADMIN_ONLY | {"venue"},
    "set_margin": ADMIN_ONLY | {"venue"},
    "expire_instrument": ADMIN_ONLY | {"venue"},
    "declare_default": ADMIN_ONLY | {"venue"},
    "announce_auction": ADMIN_ONLY | {"auctioneer", "operator", "trader"},
    "bid": ADMIN_ONLY | {"auctioneer", "operator", "trader"},
    "clear_auction": ADMIN_ONLY | {"auctioneer", "venue"},
    "propose": ADMIN_ONLY | PROPOSERS,
    "approve": ADMIN_ONLY | PROPOSERS,
    "reject": ADMIN_ONLY | PROPOSERS,
    "withdraw_proposal": ADMIN_ONLY | PROPOSERS,
    "run_scheduled": ADMIN_ONLY | {LAW},
    "lapse": ADMIN_ONLY | {LAW},
    "trust_account": ADMIN_ONLY | {"operator", "trader"},
    "distrust_account": ADMIN_ONLY | {"operator", "trader"},
    "freeze": ADMIN_ONLY,
    "confirm_freeze": ADMIN_ONLY,
    "unfreeze": ADMIN_ONLY,
} | dict.fromkeys(
    (
        "issue",
        "pre_allocate",
        "allocate",
        "final_allocate",
        "award",
        "auction",
        "report_deadline",
        "verify_deadline",
        "interim_surrender",
        "surrender_deadline",
        "penalise",
        "publish_circulation",
        "stabilise",
        "invalidate",
        "carry_over",
    ),
    frozenset({LAW}),
)


def role_of(state: State, participant: str) -> str:
    """The role under which somebody acts, `` if nobody knows them. Holders of accounts are operators without further registration."""
    if participant in (LAW, ADMINISTRATOR):
        return participant
    if participant in state.participants:
        return state.participants[participant].role
    return "operator" if state.accounts.of_holder(participant) else ""


def require(state: State, command: Command) -> None:
    """Raises Refusal: `unknown_participant`, `not_permitted`."""
    role = role_of(state, command.by)
    if not role:
        raise Refusal("unknown_participant", f"nobody is registered as {command.by!r}")
    allowed = VERBS.get(command.kind, frozenset())
    if role not in allowed:
        raise Refusal("not_permitted", f"{command.kind} is for {', '.join(sorted(allowed)) or 'nobody'}; {command.by!r} is {role}")


def require_second_person(state: State, command: Command) -> None:
    """What two persons decide is proposed and approved, not sent. Raises Refusal `needs_second_person`."""
    who = TWO_PERSONS.get(command.kind, "choice")
    if who == "choice":
        return
    alone = (
        state.two_persons and "person" in command.body if is_authority(state, command) else who == "always" or (state.two_persons and who == "holder")
    )
    if alone:
        raise Refusal("needs_second_person", f"{command.kind} is proposed by one person and approved by another: send `propose`, then `approve`")


def is_authority(state: State, command: Command) -> bool:
    """Whether the sender acts for everybody: the administrator by role, and the law itself."""
    return role_of(state, command.by) in (ADMINISTRATOR, LAW)


def require_holder(state: State, command: Command, accounts: Iterable[int]) -> None:
    """Only the holder, or the authority, disposes of what an account holds. Raises Refusal `not_permitted`."""
    if is_authority(state, command):
        return
    for account in accounts:
        if state.accounts.holders[account] != command.by:
            raise Refusal("not_permitted", f"account {state.accounts.ids[account]} is not {command.by!r}'s")


def require_held(state: State, command: Command, accounts: Iterable[int]) -> None:
    """To the market's own accounts units come by the verbs that say what for, or by the authority. Raises Refusal `not_permitted`."""
    if is_authority(state, command):
        return
    for account in accounts:
        kind = state.accounts.kinds[account]
        if kind not in HELD:
            reason = f"{state.accounts.ids[account]} is the market's own account ({kind}); surrender or cancel, or ask the authority"
            raise Refusal("not_permitted", reason)
