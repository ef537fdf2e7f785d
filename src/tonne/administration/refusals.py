"""The names under which a command is refused. A refusal is an answer, not an accident: it is audited and changes nothing else."""

from __future__ import annotations

from tonne.ledger import Result

#: name -> what it means. The ledger's own results (insufficient_balance, account_blocked, ...) are refusals too, under their names.
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
} | {result.name_for_people: (result.__doc__ or "") for result in Result if result.name not in ("POSTED",)}


class Refusal(Exception):
    """Raised by a handler, caught by the clerk. `name` is one of REFUSALS; `reason` says what is wrong, where, and what to do."""

    def __init__(self, name: str, reason: str) -> None:
        if name not in REFUSALS:
            raise ValueError(f"{name!r} is no name of a refusal")
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
