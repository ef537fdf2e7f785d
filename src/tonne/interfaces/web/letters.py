"""Letters of the room of persons in the reader's language: by their kind, with their facts, not as they were first written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tonne.interfaces.web.rights import RIGHTS
from tonne.people.outbox import LETTERS, Message

Gettext = Callable[[str], str]


def told(message: Message, _: Gettext) -> Message:
    """The message with its subject and text in a language. What other rooms wrote was written in the person's own language and stays."""
    if message.kind not in LETTERS:
        return message
    subject, text = LETTERS[message.kind]
    facts = dict(message.facts)
    if "rights" in facts:
        facts["rights"] = _(", ").join(_(RIGHTS.get(right, right)) for right in facts["rights"].split(", "))
    return replace(message, subject=_(subject), text=_(text).format(**facts))
