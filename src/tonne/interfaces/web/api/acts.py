# Annotations stand as values here: the endpoints are made from a table, and their bodies' types are not names of this module.
"""Commands that have a form of their own: the bank's, the venue's, the auctioneer's, the administrator's and participants' single acts."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field, JsonValue

from tonne.administration.permissions import VERBS
from tonne.interfaces.web.api.shared import REFUSED, Asked, Body, IdempotencyKey, Price, Quantity, ReceiptBody, Word, needs, routes, sent
from tonne.interfaces.web.api.tasks import exact, programs_only
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import ROLES, Allow

router = routes("/{system}", "acts")
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-09-30"])]
Money = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?$", description="in the currency, as text", examples=["1250.00"])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]
Side = Literal["buy", "sell"]
#: Verbs whose moment the server says.
TIMED = ("freeze", "confirm_freeze", "unfreeze")
#: Verbs for which the right to trade is needed; for all others the right to initiate.
TRADED = frozenset({"orders", "propose_trade", "answer_trade", "put_out", "bid_one_way", "bid"})


class Deposit(Body):
    """The settlement bank says that money came in; it is on the account at once."""

    account: Word
    amount: Money
    currency: Currency


class Freeze(Body):
    """Nothing leaves the account from now on. A second administrator confirms within a day, or it ends."""

    account: Word
    reason: Reason
    until: AwareDatetime | None = None


class ConfirmFreeze(Body):
    """The second administrator's yes."""

    account: Word


class Unfreeze(Body):
    """Ends a freeze at once."""

    account: Word
    reason: Reason


class Participant(Body):
    """A new participant."""

    participant: Word
    name: Word
    role: Literal["operator", "trader", "verifier", "auctioneer", "venue", "bank"]
    country: Annotated[str, Field(max_length=60)] = ""


class OpenAccount(Body):
    """A trading account for oneself, or any for somebody by the administrator."""

    account: Word
    kind: Word = "trading"
    holder: Word | None = None


class Announce(Body):
    """Puts units up for auction."""

    auction: Word
    unit: Word
    quantity: Quantity
    held_on: Day | None = None
    from_: Word | None = Field(None, alias="from", description="the account; the auction account where left out")
    category: Word | None = None
    secured: bool = Field(False, strict=True, description="a bid's guarantee is set aside on the bidder's account")
    rules: dict[Word, JsonValue] | None = Field(None, description="of a participant that sells its own units; the law's where left out")


class Clear(Body):
    """Holds an auction: clears the bids by the law of the day, moves units and money."""

    auction: Word
    seed: Annotated[int, Field(strict=True, ge=0, le=2**62)] | None = None
    reserve: Price | None = Field(None, description="a secret lowest price; it is not published")
    secondary: Price | None = Field(None, description="the price of the market beside it")
    paid_in: bool | None = None
    without: list[Word] | None = Field(None, max_length=1_000)
    called_off: Reason | None = None


class Admit(Body):
    """Lets an account trade; `clearing`: also what is margined."""

    account: Word
    clearing: bool = Field(False, strict=True)


class ListInstrument(Body):
    """Lists a contract of the venues' files, or one of your own terms."""

    contract: Word
    code: Word | None = None
    kind: Word | None = None
    terms: dict[Word, JsonValue] | None = None
    unit: Word | None = None
    reference: Price | None = None
    expiry: Day | None = None
    delivery: Day | None = None
    family: Word | None = None
    fee: Money | None = None
    strike: Price | None = None
    right: Literal["call", "put"] | None = None
    underlying: Word | None = None
    volatility: Price | None = None
    breaker_ticks: Annotated[int, Field(strict=True, ge=0, le=10**6)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=2**62)] | None = None


class CloseDay(Body):
    """Ends the exchange's day: settlement prices, margin, day orders out."""

    prices: dict[Word, Price] = Field(default_factory=dict, max_length=1_000, description="set by hand, by instrument")
    window_minutes: Annotated[int, Field(strict=True, ge=1, le=1_440)] | None = None


class ReportTrade(Body):
    """A trade agreed beside the book, of which the venue has heard both sides."""

    method: Word
    instrument: Word
    buyer: Word
    seller: Word
    price: Price
    quantity: Quantity


class ProposeTrade(Body):
    """A trade offered to one other account; it must accept the same terms on the same day."""

    proposal: Word
    instrument: Word
    account: Word
    counterparty: Word
    side: Side
    price: Price
    quantity: Quantity


class AnswerTrade(Body):
    """Accept (with the same terms), decline, or withdraw."""

    proposal: Word
    answer: Literal["accept", "decline", "withdraw"]
    price: Price | None = None
    quantity: Quantity | None = None


class Act(NamedTuple):
    path: str
    verb: str
    body: type[Body]


ACTS = (
    Act("/deposits", "deposit", Deposit),
    Act("/freezes", "freeze", Freeze),
    Act("/freezes/confirm", "confirm_freeze", ConfirmFreeze),
    Act("/freezes/lift", "unfreeze", Unfreeze),
    Act("/participants", "register_participant", Participant),
    Act("/accounts", "open_account", OpenAccount),
    Act("/auctions", "announce_auction", Announce),
    Act("/auctions/clear", "clear_auction", Clear),
    Act("/members", "admit", Admit),
    Act("/instruments", "list_instrument", ListInstrument),
    Act("/close-day", "close_day", CloseDay),
    Act("/trades", "report_trade", ReportTrade),
    Act("/trade-proposals", "propose_trade", ProposeTrade),
    Act("/trade-proposals/answer", "answer_trade", AnswerTrade),
)


def right_of(verb: str) -> str:
    return "trade" if verb in TRADED else "initiate"


def may(verb: str) -> Allow:
    """Who may send a verb, by the clerk's own table."""
    return Allow(VERBS[verb] & frozenset(ROLES), right_of(verb))


def timed(ask: Ask, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    """With the moment, for verbs that have one."""
    return body | ({"moment": ask.market.now().isoformat()} if verb in TIMED else {})


def _endpoint(act: Act) -> Callable[..., Any]:
    async def endpoint(ask: Asked, system: Word, key: IdempotencyKey, body: act.body) -> dict[str, Any]:  # type: ignore[name-defined]
        programs_only(ask)
        needs(ask.visitor, right_of(act.verb))
        wish = exact(body.model_dump(mode="json", by_alias=True, exclude_none=True))
        return await sent(ask, key, act.verb, timed(ask, act.verb, wish))

    endpoint.__name__, endpoint.__doc__ = act.verb, act.body.__doc__
    return endpoint


for _act in ACTS:
    router.post(_act.path, allow=may(_act.verb), responses=REFUSED, response_model=ReceiptBody)(_endpoint(_act))
