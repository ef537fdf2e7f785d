"""Every number of this room, with its default, and the secrets. It refuses to start on secrets that are short or known."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import timedelta

SECRET_LENGTH_MIN = 32
SECRET_VARIETY_MIN = 10
#: Words of example files. A secret that is made of them is one that somebody else has read.
KNOWN_SECRETS = ("changeme", "change-me", "change_me", "secret", "default", "example", "password", "replace", "insecure", "tonne", "123456", "abcdef")


class BadSettings(ValueError):
    """A setting that makes the room unsafe, or makes no sense. The message names the setting, never its value."""


def check_secret(name: str, value: str) -> None:
    """BadSettings for a secret under 32 characters, with hardly any variety, or one from an example file."""
    if len(value) < SECRET_LENGTH_MIN:
        raise BadSettings(f"{name} is shorter than {SECRET_LENGTH_MIN} characters; make one with: python -m secrets")
    rest = value.lower()
    for word in KNOWN_SECRETS:
        rest = rest.replace(word, "")
    if len(set(value)) < SECRET_VARIETY_MIN or len(rest) < SECRET_LENGTH_MIN // 2:
        raise BadSettings(f"{name} is a default or a repeated text, not a random one")


def check_box_key(name: str, value: str) -> None:
    try:
        size = len(base64.urlsafe_b64decode(value))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32 or len(set(value)) < SECRET_VARIETY_MIN:
        raise BadSettings(f"{name} is not 32 random bytes in URL-safe base 64")


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """secrets and box_keys: the first one signs and encrypts, the others are still accepted, so that they can be rotated without a logout.

    secrets: text of at least 32 characters (forms' tokens, keyed digests). box_keys: 32 bytes in URL-safe base 64 (second factors, links in letters).
    """

    secrets: tuple[str, ...] = field(repr=False)
    box_keys: tuple[str, ...] = field(repr=False)
    service: str = "tonne"  # the issuer that an authenticator shows
    context_words: tuple[str, ...] = ()  # of systems and companies, refused inside passwords

    # Passwords
    password_length_min: int = 12
    password_length_max: int = 256
    # RFC 9106, section 4: the second recommended choice
    argon2_time: int = 3
    argon2_memory_kib: int = 65_536
    argon2_lanes: int = 4
    argon2_at_once: int = 4  # so many hashes are made at the same time: memory is bounded by this times argon2_memory_kib
    link_lifetime: timedelta = timedelta(hours=72)
    email_link_lifetime: timedelta = timedelta(hours=24)

    # Second factor
    code_seconds: int = 30
    code_drift_steps: int = 1
    recovery_codes: int = 10
    replacement_wait: timedelta = timedelta(hours=72)
    replacement_lifetime: timedelta = timedelta(days=14)
    step_up_lifetime: timedelta = timedelta(minutes=5)

    # Failed attempts: so many in a window are free, then each further one waits twice as long, up to the longest lock.
    failures_per_person: int = 5
    failures_per_address: int = 20
    failure_window: timedelta = timedelta(minutes=15)
    first_lock: timedelta = timedelta(minutes=1)
    longest_lock: timedelta = timedelta(minutes=15)

    # Sessions
    pending_lifetime: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=8)
    sessions_per_person: int = 3
    cache_age: timedelta = timedelta(seconds=2)  # a change made by another process is seen after this

    # API keys
    key_lifetime: timedelta = timedelta(days=365)
    keys_per_membership: int = 20

    # Files and drafts
    file_bytes_max: int = 20 * 1024 * 1024
    file_quota_bytes: int = 500 * 1024 * 1024  # for each participant, or person without one
    unpacked_bytes_max: int = 200 * 1024 * 1024
    unpacked_entries_max: int = 2_000
    csv_rows_max: int = 200_000
    draft_bytes_max: int = 256 * 1024
    drafts_per_person: int = 200

    # Applications
    application_days: int = 20
    application_files_max: int = 40

    # Lists
    page_rows_max: int = 500

    def __post_init__(self) -> None:
        if not self.secrets:
            raise BadSettings("secrets is empty; give one, or two while rotating")
        for number, secret in enumerate(self.secrets):
            check_secret(f"secrets[{number}]", secret)
        if not self.box_keys:
            raise BadSettings("box_keys is empty; give one, or two while rotating")
        for number, key in enumerate(self.box_keys):
            check_box_key(f"box_keys[{number}]", key)
        if self.password_length_min < 8 or self.password_length_max < 64 or self.password_length_max < self.password_length_min:
            raise BadSettings("password_length_min and password_length_max must be at least 8 and 64")
        if self.argon2_time < 1 or self.argon2_memory_kib < 8 * self.argon2_lanes or self.argon2_lanes < 1 or self.argon2_at_once < 1:
            raise BadSettings("the parameters of Argon2 are too small to run")
        if not timedelta() < self.idle <= self.absolute:
            raise BadSettings("idle must be positive and not longer than absolute")
        if self.sessions_per_person < 1 or self.failures_per_person < 1 or self.failures_per_address < 1:
            raise BadSettings("sessions_per_person, failures_per_person and failures_per_address must be at least 1")
