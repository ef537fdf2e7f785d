"""Checklist G7: no start on default, short or repeated secrets."""

from __future__ import annotations

import base64
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from cast import BOX_KEY, SECRET, START, quick

from tonne.people import PeopleSettings, PeopleUnavailable
from tonne.people.box import Box
from tonne.people.settings import BadSettings
from tonne.people.tables import RETENTION, metadata


@pytest.mark.parametrize(
    "secret",
    ["", "changeme", "short-but-random-9Kq2", "changeme" * 5, "secretsecretsecretsecretsecretsecret", "a" * 64,
     "abababababababababababababababababab",
     "changeme-changeme-changeme-x9Kq2"],
)  # fmt: skip
def test_G7_bad_secrets_are_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(BadSettings) as caught:
        PeopleSettings(secrets=(SECRET, secret), box_keys=(BOX_KEY,))
    assert "secrets[1]" in str(caught.value) and (not secret or secret not in str(caught.value))


@pytest.mark.parametrize("key", ["", "changeme", SECRET, base64.urlsafe_b64encode(bytes(32)).decode(), "é" * 44])
def test_G7_bad_box_keys_are_refused(key: str) -> None:
    with pytest.raises(BadSettings, match=r"box_keys\[0\]"):
        PeopleSettings(secrets=(SECRET,), box_keys=(key,))


def test_G7_none_at_all_is_refused_and_a_repr_shows_none() -> None:
    with pytest.raises(BadSettings):
        PeopleSettings(secrets=(), box_keys=(BOX_KEY,))
    with pytest.raises(BadSettings):
        PeopleSettings(secrets=(SECRET,), box_keys=())
    assert SECRET not in repr(quick()) and BOX_KEY not in repr(quick())


@pytest.mark.parametrize(
    "bad", [{"password_length_min": 4}, {"idle": timedelta(hours=9)}, {"idle": timedelta()}, {"argon2_time": 0}, {"sessions_per_person": 0}]
)
def test_G7_numbers_that_make_the_room_unsafe_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSettings):
        replace(quick(), **bad)  # type: ignore[arg-type]


def test_the_defaults_are_those_proposed() -> None:
    settings = PeopleSettings(secrets=(SECRET,), box_keys=(BOX_KEY,))
    assert (settings.idle, settings.absolute, settings.sessions_per_person) == (timedelta(minutes=15), timedelta(hours=8), 3)
    assert (settings.failures_per_person, settings.failures_per_address) == (5, 20)
    assert settings.failure_window == settings.longest_lock == timedelta(minutes=15)
    assert settings.key_lifetime == timedelta(days=365) and settings.file_bytes_max == 20 * 1024 * 1024 and settings.csv_rows_max == 200_000
    assert (settings.password_length_min, settings.link_lifetime, settings.step_up_lifetime) == (12, timedelta(hours=72), timedelta(minutes=5))
    assert {field.name for field in fields(settings) if not field.repr} == {"secrets", "box_keys"}


def test_G7_box_keys_rotate_and_a_box_opens_only_in_its_own_row() -> None:
    new = base64.urlsafe_b64encode(bytes(range(32))).decode()
    sealed = Box((BOX_KEY,)).seal("f-1", "JBSWY3DPEHPK3PXP", START)
    assert Box((new, BOX_KEY)).open_box("f-1", sealed) == "JBSWY3DPEHPK3PXP"
    for box, owner in ((Box((new,)), "f-1"), (Box((BOX_KEY,)), "f-2")):
        with pytest.raises(PeopleUnavailable):
            box.open_box(owner, sealed)


def test_G10_every_table_has_its_class_and_retention() -> None:
    assert set(RETENTION) == set(metadata.tables)
