"""What this room refuses. A refusal has a name from one table; the server maps names to answers and to words in three languages."""

from __future__ import annotations

from datetime import timedelta

#: Name -> what it means, in English. A name is never reused for something else.
REFUSALS: dict[str, str] = {
    # Proving who one is
    "wrong_login": "The e-mail address or the password is wrong",
    "wrong_password": "The present password is wrong",
    "wrong_code": "The code is wrong",
    "code_used": "This code was used already; wait for the next one",
    "locked": "Too many failed attempts; wait before the next one",
    "weak_password": "This password is too easy to guess",
    "factor_needed": "The second factor is still missing",
    "too_early": "The replacement of the second factor is not effective yet",
    "link_unknown": "This link is not valid",
    "link_used": "This link was used already",
    "identity_refused": "The identity provider's answer is not valid",
    "identity_unknown": "No person is bound to this identity",
    "identity_taken": "This identity is bound to another person",
    # Sessions, confirmations and keys
    "no_session": "There is no such session",
    "expired": "It has expired",
    "ended": "It was ended",
    "too_many_sessions": "As many sessions are open as a person may have; end one first",
    "not_confirmed": "A fresh second factor for exactly this content is needed",
    "wrong_key": "This API key is not valid",
    "too_many_keys": "As many API keys are valid as a membership may have; revoke one first",
    # What may be done
    "not_permitted": "This needs a right that is not there",
    "same_person": "Another person has to do this",
    "unknown": "There is no such thing",
    "taken": "It exists already",
    "bad_value": "This value is not accepted",
    "wrong_state": "This is not possible in its present state",
    "not_first": "An administrator exists already; administrators invite administrators",
    "too_many_requests": "Too many requests; wait before the next one",
    # Files and drafts
    "wrong_kind": "The content is none of the accepted kinds of file",
    "too_large": "It is larger than allowed",
    "over_quota": "The quota of stored files is used up",
    "unsafe_file": "The file cannot be read safely",
}


class PeopleRefused(Exception):
    """name: a key of REFUSALS; text: one English sentence; retry_after: whole seconds to wait, where waiting helps; field: the input it is about."""

    def __init__(self, name: str, text: str = "", retry_after: int | None = None, field: str = "") -> None:
        if name not in REFUSALS:
            raise ValueError(f"{name!r} is no refusal of this room")
        self.name = name
        self.text = text or REFUSALS[name]
        self.retry_after = retry_after
        self.field = field
        self.noted = False  # whether the trail has it already
        super().__init__(f"{name}: {self.text}")


class PeopleUnavailable(Exception):
    """The database does not answer, is full or is not ours. Nothing was written. No message shows a password."""


def seconds_until(wait: timedelta) -> int:
    """Whole seconds, rounded up and at least one: a Retry-After that is never too short."""
    return max(1, -(-wait // timedelta(seconds=1)))
