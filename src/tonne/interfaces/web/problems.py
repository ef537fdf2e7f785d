"""What goes wrong, in words: for people a page, for machines problem+json (RFC 9457). One table of names, the ledger's own among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tonne.administration.refusals import REFUSALS
from tonne.interfaces.web.words import N_
from tonne.people.errors import REFUSALS as PEOPLES

Gettext = Callable[[str], str]


class Problem(Exception):
    """An answer other than the one asked for. name: a word for machines; title, what to do: for people; fields: what is wrong beside which field;
    faults: what is wrong with a file, row by row."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str = "",
        *,
        fields: Mapping[str, str] | None = None,
        near: Sequence[str] = (),
        retry_after: float | None = None,
        receipt: Any = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(f"{status} {name}: {detail}")
        self.status, self.name, self.detail = status, name, detail
        self.fields = dict(fields or {})
        self.near, self.retry_after, self.receipt = tuple(near), retry_after, receipt
        self.faults = tuple(faults)


class NeedLogin(Exception):
    """Signed out where somebody must be signed in: to the login, and back to the same place."""


def not_found(what: str = "", near: Sequence[str] = ()) -> Problem:
    return Problem(404, "not_found", what, near=near)


#: name -> (title, what to do). What has no line of its own is told by its meaning.
ADVICE: dict[str, tuple[str, str]] = {
    "not_found": (N_("There is nothing at this address"), N_("Look for it by name, permit, account or number, or go back to the start.")),
    "not_permitted": (N_("This is not open to you"), N_("Act for another organisation, or ask whoever manages your organisation for the right.")),
    "method_not_allowed": (N_("This address does not take that"), N_("Go back and use the page's own buttons.")),
    "form_expired": (N_("This form is too old"), N_("Nothing was done. What you typed is below: look at it and send it again.")),
    "wrong_origin": (N_("This did not come from our own page"), N_("Nothing was done. Open the page here and send it again.")),
    "too_large": (N_("This is too large"), N_("Send fewer rows, or a smaller file.")),
    "too_slow": (N_("Your request took too long to arrive"), N_("Nothing was done. Send it again.")),
    "too_many": (N_("Too many requests"), N_("Wait a moment, then go on.")),
    "too_fast": (N_("This was faster than anyone can read"), N_("Look at what it will do, then approve.")),
    "malformed": (N_("Something in this cannot be read"), N_("Mend what is marked, then send it again.")),
    "store_stopped": (N_("The market is not taking anything at the moment"), N_("What was acknowledged is stored. Try again in a minute.")),
    "store_busy": (N_("The market is very busy"), N_("Nothing was done. Send it again in a moment.")),
    "fault": (
        N_("Something went wrong on our side"),
        N_("What you sent may not have been done. Look at the page before, and tell us the reference."),
    ),
    "insufficient_balance": (N_("There is not enough in the account"), N_("Lower the quantity, or cancel what holds units back.")),
    "no_cover": (N_("This is not covered"), N_("Pay in money or units first, or take an open order out.")),
    "own_proposal": (N_("You began this yourself"), N_("A second person of your organisation approves it.")),
    "needs_second_person": (N_("A second person must approve this"), N_("Propose it; somebody else of your organisation approves.")),
    "proposal_expired": (N_("This was not approved in time"), N_("Propose it again.")),
    "proposal_closed": (N_("This is decided already"), N_("See its receipt for what became of it.")),
    "unknown_proposal": (N_("No such task"), N_("Look at the list of tasks.")),
    "after_deadline": (N_("The deadline has passed"), N_("Only the administrator can still correct this; write to them.")),
    "account_blocked": (N_("The account is blocked"), N_("The administrator says why and until when.")),
    "already_verified": (N_("This report is verified already"), N_("A change is a correction; ask the administrator.")),
    "price_limit": (N_("The price lies outside the day's limits"), N_("Choose a price inside the limits that the market page shows.")),
    "outside_session": (N_("The market is closed"), N_("Send it in trading hours; the market page shows them.")),
    "window_closed": (N_("The bidding window is shut"), N_("The auction's page shows when it is open.")),
    "limit_exceeded": (N_("This is more than is allowed"), N_("Lower the quantity to what is left of the limit.")),
    "nothing_to_do": (N_("This would change nothing"), N_("It is so already.")),
    "exists_with_different_content": (N_("This key was used for something else"), N_("Nothing was done. Load the page anew and send it again.")),
    "wrong_login": (N_("E-mail address or password is not right"), N_("Try again, or have the password reset.")),
    "wrong_code": (N_("The code is not right"), N_("Take the newest code of your app. Each code works once.")),
    "code_used": (N_("This code was used already"), N_("Wait for the next code of your app.")),
    "locked": (N_("Too many failed attempts"), N_("Wait until the time shown, then try again.")),
}


def title(name: str, _: Gettext) -> str:
    if name in ADVICE:
        return _(ADVICE[name][0])
    meaning = REFUSALS.get(name) or PEOPLES.get(name)
    return _(meaning) if meaning else name.replace("_", " ")


def advice(name: str, _: Gettext) -> str:
    if name in ADVICE:
        return _(ADVICE[name][1])
    return _("Mend what is said above, then send it again.") if name in REFUSALS or name in PEOPLES else ""


def as_json(problem: Problem, reference: str, _: Gettext) -> dict[str, Any]:
    """The body of a problem+json answer."""
    body: dict[str, Any] = {
        "type": f"/api/problems#{problem.name}",
        "title": title(problem.name, _),
        "status": problem.status,
        "name": problem.name,
        "detail": problem.detail,
        "do": advice(problem.name, _),
        "reference": reference,
    }
    if problem.fields:
        body["fields"] = problem.fields
    if problem.near:
        body["near"] = list(problem.near)
    if problem.faults:
        body["faults"] = list(problem.faults)
    if problem.receipt is not None:
        body["sequence"] = problem.receipt.sequence
        body["repeated"] = problem.receipt.repeated
    return body


#: HTTP status of a refused command: 409 for what the state forbids, 403 for rights, 422 for what cannot be read.
STATUS: dict[str, int] = {"not_permitted": 403, "own_proposal": 403, "needs_second_person": 403, "malformed": 422, "unknown_command": 422}


def status_of(outcome: str) -> int:
    return STATUS.get(outcome, 404 if outcome.startswith("unknown_") else 409)
