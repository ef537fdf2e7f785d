"""Passwords: Argon2id, no rules of composition, refused when they are easy to guess.

Hashing takes tens of milliseconds and tens of megabytes, so only so many run at once, and never inside a transaction.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.errors import PeopleRefused, PeopleUnavailable
from tonne.people.settings import PeopleSettings
from tonne.people.tables import passwords
from tonne.people.words import is_easy

WORDS = re.compile(r"[^\W_]+")


class Passwords:
    """Makes and checks hashes by the settings' parameters. `breached` (optional) answers whether a password is known to be leaked."""

    def __init__(self, settings: PeopleSettings, breached: Callable[[str], bool] | None = None) -> None:
        self._settings = settings
        self._breached = breached
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time, memory_cost=settings.argon2_memory_kib, parallelism=settings.argon2_lanes, type=Type.ID
        )
        self._at_once = threading.BoundedSemaphore(settings.argon2_at_once)
        # Checked in place of a missing password, so that an unknown user costs the same time.
        self._nobody = self.hashed(tokens.new_token())

    def must_be_good(self, password: str, context: tuple[str, ...] = ()) -> str:
        """The password as it is hashed (NFKC). PeopleRefused weak_password with a reason. context: words of the person: name, e-mail."""
        settings = self._settings
        text = unicodedata.normalize("NFKC", password)
        if len(text) < settings.password_length_min:
            raise PeopleRefused("weak_password", f"A password has at least {settings.password_length_min} characters", field="password")
        if len(text) > settings.password_length_max:
            raise PeopleRefused("weak_password", f"A password has at most {settings.password_length_max} characters", field="password")
        words = tuple(word for part in (*settings.context_words, settings.service, *context) for word in WORDS.findall(part))
        if is_easy(text, words):
            raise PeopleRefused(
                "weak_password",
                "This password is made of common words, names or runs of keys; add something of your own",
                field="password",
            )
        if self._breached is not None and self._breached(text):
            raise PeopleRefused("weak_password", "This password is known from a leak; choose another", field="password")
        return text

    def hashed(self, password: str) -> str:
        with self._at_once:
            return self._hasher.hash(unicodedata.normalize("NFKC", password), salt=tokens.salt())

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password makes the stored hash. For None it takes as long and says no."""
        text = unicodedata.normalize("NFKC", password[: self._settings.password_length_max + 1])
        try:
            with self._at_once:
                self._hasher.verify(stored or self._nobody, text)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            raise PeopleUnavailable("a stored password is not readable as Argon2") from None
        return stored is not None

    def is_old(self, stored: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)


def stored_hash(connection: Connection, person: str) -> str | None:
    return connection.execute(sa.select(passwords.c.hash).where(passwords.c.person == person)).scalar()


def store(connection: Connection, person: str, made: str, now: datetime) -> None:
    """Puts a hash in the place of the one before, if any."""
    values = {"hash": made, "changed_at": now}
    if connection.execute(sa.update(passwords).where(passwords.c.person == person).values(values)).rowcount == 0:
        connection.execute(sa.insert(passwords).values(person=person, **values))


def upgrade(connection: Connection, person: str, before: str, made: str) -> None:
    """The same password under newer parameters; nothing if it was changed in between."""
    connection.execute(sa.update(passwords).where(passwords.c.person == person, passwords.c.hash == before).values(hash=made))
