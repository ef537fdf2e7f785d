"""What the pages of an operator share: its obligation at today's price, its own installations and accounts, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.state import State
from tonne.interfaces.views import holdings, market_view
from tonne.interfaces.views.holdings import Account
from tonne.interfaces.views.market_view import Instrument
from tonne.interfaces.views.obligation import Obligation, Period, obligation, own_installations
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.words import N_

#: kind of an account -> what it is called
ACCOUNT_KINDS: dict[str, str] = {
    "operator": N_("Installation's account"),
    "trading": N_("Trading account"),
    "remainder": N_("Rest of the system"),
    "cash": N_("Cash account"),
    "collateral": N_("Collateral"),
    "position": N_("Positions"),
    "default_fund": N_("Default fund"),
}
#: the registry's own accounts, which nobody holds
REGISTRY_ACCOUNTS: dict[str, str] = {
    "issuance": N_("Issuance"),
    "total_quantity": N_("Total of the cap"),
    "auction": N_("Auction account"),
    "stability_reserve": N_("Stability reserve"),
    "surrendered": N_("Surrendered units"),
    "cancelled": N_("Cancelled units"),
    "invalidated": N_("Units without validity"),
    "outside": N_("Other registries"),
}

#: kind of a transfer -> what it was, for people
MOVES: dict[str, str] = {
    "allocate": N_("Free allocation"),
    "return_allocation": N_("Allocation taken back"),
    "surrender": N_("Surrendered"),
    "cancel": N_("Cancelled"),
    "transfer": N_("Transfer"),
    "scheduled": N_("Transfer, scheduled"),
    "sell": N_("Units traded"),
    "pay": N_("Paid for units"),
    "deliver": N_("Delivered"),
    "deposit": N_("Paid in"),
    "withdraw": N_("Taken out"),
    "auction": N_("Bought in an auction"),
    "issue": N_("Issued"),
    "offer": N_("Put up for auction"),
    "deduct": N_("Deducted as a penalty"),
    "invalidate": N_("Lost validity"),
    "carry_over": N_("Carried over"),
    "opening": N_("Opening balance"),
    "convert": N_("Converted"),
    "retire": N_("Retired"),
    "correct": N_("Corrected"),
    "default": N_("Moved after a default"),
    "set_aside": N_("Set aside"),
    "margin": N_("Margin"),
    "variation": N_("Gain or loss of the day"),
    "premium": N_("Premium"),
    "fee": N_("Fee"),
    "fine": N_("Fine"),
    "collect": N_("Collected"),
}


@dataclass(frozen=True)
class Standing:
    """Where an operator stands: what it owes, at what units can be bought now. spot: the listing where they are, None where nothing is."""

    owes: Obligation
    spot: Instrument | None

    @property
    def price(self) -> Decimal | None:
        return price_of(self.spot)

    @property
    def now(self) -> tuple[Period, ...]:
        """The installations' rows of the period that is open next."""
        return tuple(one for one in self.owes.periods if one.year == self.owes.period and not one.closed)

    @property
    def arrears(self) -> tuple[Period, ...]:
        return tuple(one for one in self.owes.periods if one.closed)


def standing_of(ask: Ask) -> Standing:
    """The visitor's own."""
    market, participant = ask.market, ask.visitor.participant

    def made(state: State) -> Standing:
        spot = spot_of(state)
        return Standing(obligation(state, participant, market.today, price=price_of(spot), cache=cache_of(market)), spot)

    found: Standing = market.cached(("standing", participant, market.today), made)
    return found


def price_of(spot: Instrument | None) -> Decimal | None:
    """Money per unit at which one could buy now: the best offer, else what was last paid or settled."""
    return None if spot is None else spot.offer or spot.last or spot.settlement


def spot_of(state: State) -> Instrument | None:
    """Where units that can be surrendered are bought for delivery at once; the one in which most was traded today, of several."""
    codes = {state.books.unit_types[unit].code for unit in state.allowance_units()}
    found = (
        [one for one in market_view.instruments(state) if one.settlement_kind != "margined" and one.unit in codes] if state.exchange.listed else []
    )
    return max(found, key=lambda one: one.volume, default=None)


def trading_account(state: State, participant: str, spot: Instrument) -> str:
    """The account from which a participant buys: one that is admitted to the exchange, the fullest of money first; `` where there is none."""
    best, most = "", -1
    for one in holdings.accounts(state, participant):
        money = sum(balance.available for balance in one.balances if balance.unit == spot.currency)
        if one.admitted and one.kind in ("operator", "trading") and money > most:
            best, most = one.account, money
    return best


def is_all_seeing(ask: Ask) -> bool:
    """Whether the visitor looks into every account: the administrator's people, its auditors among them."""
    return ask.visitor.participant == ADMINISTRATOR


def own_installation(ask: Ask, installation: str, roles: Sequence[str] = ()) -> str:
    """An installation that the visitor may look into: its own, or any for the administrator and whoever has one of the roles. Raises Problem 404."""
    if is_all_seeing(ask) or ask.visitor.role in roles:
        with ask.market.read() as state:
            if installation in state.installations:
                return installation
    elif installation in installations_of(ask):
        return installation
    raise not_found(installation)


def installations_of(ask: Ask) -> list[str]:
    """The visitor's own."""
    with ask.market.read() as state:
        return own_installations(state, ask.visitor.participant)


def accounts_of(ask: Ask) -> tuple[Account, ...]:
    market = ask.market
    with market.read() as state:
        return holdings.accounts(state, ask.visitor.participant, cache=cache_of(market))


def year_asked(ask: Ask, text: str) -> int:
    """A year of the address. Raises Problem 404: there is nothing under another word."""
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise not_found(text)
    return int(text)


def choices_of(codes: Sequence[str], label: Callable[[str], str] = str) -> list[tuple[str, str]]:
    return [(code, label(code)) for code in codes]
