"""The names under which a command is refused. A refusal is an answer, not an accident: it is audited and changes nothing else."""

from __future__ import annotations

from tonne.ledger import Result

#: The ledger's own results are refusals too, under their names: what each means, and what to do about it.
LEDGER: dict[Result, str] = {
    Result.LINKED_CHAIN_OPEN: "the last transfer is marked LINKED, and nothing follows; end the chain",
    Result.LINKED_TRANSFER_FAILED: "another transfer that shares its fate failed",
    Result.ID_MUST_BE_POSITIVE: "an id is above zero",
    Result.FLAG_UNKNOWN: "a flag is set that no transfer has",
    Result.FLAGS_CONTRADICT: "a transfer is one of PENDING, POST and VOID, and only a plain or pending one CORRECTS",
    Result.FROM_ACCOUNT_UNKNOWN: "there is no such account to take from",
    Result.TO_ACCOUNT_UNKNOWN: "there is no such account to give to",
    Result.UNIT_UNKNOWN: "there is no such unit type",
    Result.SAME_ACCOUNT: "from and to are the same account",
    Result.QUANTITY_MUST_BE_POSITIVE: "a quantity is above zero",
    Result.EXPIRES_NOT_EXPECTED: "only a PENDING transfer expires",
    Result.EXPIRES_NOT_AFTER_DAY: "the day of expiry lies after the transfer's own day",
    Result.DAY_OUT_OF_ORDER: "the day is before the last day in the books",
    Result.REFERENCE_NOT_EXPECTED: "only POST, VOID and CORRECTS refer to another transfer",
    Result.CORRECTED_NOT_FOUND: "the transfer to be corrected is not in the books",
    Result.CORRECTED_NOT_POSTED: "the transfer to be corrected moved nothing; name the one that did",
    Result.CORRECTED_DIFFERENT_UNIT: "the transfer to be corrected is of another unit type",
    Result.PENDING_NOT_FOUND: "the transfer referred to is not in the books",
    Result.REFERENCE_NOT_PENDING: "the transfer referred to is not a pending one",
    Result.PENDING_DIFFERENT_FROM_ACCOUNT: "the pending transfer takes from another account",
    Result.PENDING_DIFFERENT_TO_ACCOUNT: "the pending transfer gives to another account",
    Result.PENDING_DIFFERENT_UNIT: "the pending transfer is of another unit type",
    Result.EXCEEDS_PENDING: "this is more than is pending",
    Result.PENDING_DIFFERENT_QUANTITY: "a pending transfer is voided whole",
    Result.PENDING_ALREADY_POSTED: "the pending transfer was posted before",
    Result.PENDING_ALREADY_VOIDED: "the pending transfer was voided before",
    Result.PENDING_EXPIRED: "the pending transfer expired",
    Result.FROM_ACCOUNT_CLOSED: "the account to take from is closed",
    Result.TO_ACCOUNT_CLOSED: "the account to give to is closed",
    Result.ACCOUNT_BLOCKED: "the account to take from is blocked; only the authority moves what it holds",
    Result.ACCOUNT_ONE_WAY: "what enters the account to take from leaves it only by the authority",
    Result.INSUFFICIENT_BALANCE: "not enough is available",
    Result.QUANTITY_OVERFLOW: "a balance would pass what the books can count",
} | {result: "the id was used before" for result in Result if result.name.startswith("EXISTS")}

#: What an exchange and its auctions say no to.
EXCHANGE: dict[str, str] = {
    "unknown_instrument": "nothing of that code is listed",
    "instrument_expired": "the last trading day has passed",
    "unknown_order": "no order, or proposal, of that name",
    "unknown_auction": "nothing of that name is put out to bids",
    "auction_closed": "the auction is over",
    "off_tick": "a price between two ticks",
    "odd_lot": "a quantity that is no whole number of lots",
    "bad_price": "a price that the instrument cannot have",
    "bad_quantity": "a quantity that is none",
    "price_limit": "outside the day's limits",
    "no_reference_price": "prices are limited around a reference, and there is none yet",
    "below_minimum": "smaller than this way of trading allows",
    "above_maximum": "larger than this way of trading allows",
    "outside_session": "not in these hours",
    "clock_backwards": "earlier than what was taken already",
    "not_admitted": "the account is not admitted to the exchange, or does not clear there",
    "no_cover": "units, money or collateral do not cover it beside what is set aside already",
    "limit_needed": "what is paid for at the trade is bought with a limit price",
    "position_limit": "the position could pass the contract's limit",
    "resale_lock": "bought today, and not yet free to be sold",
    "orders_open": "orders are in the book that must be out of it first",
    "own_account": "nobody deals with itself",
    "expired": "what was proposed stood on its day only",
    "terms_differ": "both sides say the same, or nothing is agreed",
    "not_covered": "units or money of the two sides do not cover a delivery",
    "bad_window": "a window that closes before it opens, or has opened before",
    "notice_too_short": "the window opens too soon",
    "window_closed": "bids are taken inside the window",
    "window_open": "the window is still open",
    "beyond_limit": "outside what was put out",
    "off_increment": "between two steps of the bidding",
    "not_raised": "a bid may only be raised",
    "whole_only": "what is put out is traded whole",
}
#: What is said no to where two persons decide, and around trusted and frozen accounts.
PERSONS: dict[str, str] = {
    "needs_second_person": "one person proposes this, and another one approves it",
    "own_proposal": "nobody approves what they began themselves",
    "unknown_proposal": "nothing was proposed under that id",
    "proposal_closed": "the proposal has been decided, or waits for its moment",
    "proposal_expired": "the time in which a second person could act is over",
    "too_late": "the moment until which it could be taken back has passed",
    "right_removed": "a person who took part may no longer act for the participant",
    "no_longer_trusted": "the target has left the list of trusted accounts",
    "unknown_freeze": "the account is not frozen",
    "account_frozen": "the account is frozen, and only the end of that lets it move again",
}
#: name -> what it means.
REFUSALS: dict[str, str] = {
    "unknown_command": "no handler for this verb",
    "malformed": "the body or a table of the command is not what the verb needs",
    "not_permitted": "the sender's role, or the account's holder, does not allow it",
    "unknown_participant": "nobody of that id",
    "unknown_account": "no account of that id",
    "unknown_installation": "no installation of that id",
    "unknown_unit_type": "no unit type of that code",
    "already_exists": "an account, installation or participant of that id is there already",
    "exists_with_different_content": "the command id was used for something else",
    "day_out_of_order": "the market's calendar is already past that day",
    "not_due": "the calendar has not come to that task yet",
    "already_done": "the task was done for that year",
    "before_system": "the law does not reach back to that day",
    "not_in_force": "the law has no value in force for what is asked",
    "no_answer": "the law in force has no figure for what is asked",
    "not_offered": "the law of this system has no such mechanism",
    "after_deadline": "the deadline has passed; only the authority may still correct",
    "not_reported": "there is no report to verify or correct",
    "already_verified": "the report is verified; a change is a correction by the authority",
    "limit_exceeded": "more than the law allows",
    "not_eligible": "the law does not admit this unit for this purpose",
    "nothing_to_do": "the command would change nothing",
    "not_in_the_law": "an amendment names a parameter the law does not have",
} | {result.name_for_people: meaning for result, meaning in LEDGER.items()}
REFUSALS |= EXCHANGE | PERSONS


class Refusal(Exception):
    """Raised by a handler, caught by the clerk. `name` is one of REFUSALS; `reason` says what is wrong, where, and what to do."""

    def __init__(self, name: str, reason: str) -> None:
        if name not in REFUSALS:
            raise ValueError(f"{name!r} is no name of a refusal")
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
