"""Checklist P1 and P2: keys for machines, and how much one asker may ask."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from cast import START, House, User, refused

from tonne.people import Limits, PeopleRefused, Rate

HERE = "192.0.2.1"


def test_P2_a_key_is_prefix_and_256_bits_shown_once_and_stored_hashed(house: House, user: User) -> None:
    secret, key = house.people.create_key(user.session, "  night   job ", ["read"], address=HERE, now=house.clock.now)
    assert secret.startswith(f"tonne_{key.prefix}_") and len(secret.removeprefix(f"tonne_{key.prefix}_")) == 43 and len(key.prefix) == 8
    assert key.label == "night job" and key.scopes == {"read"} and key.expires_at == house.clock.now + timedelta(days=365)
    found = house.people.key(secret, house.clock.now)
    assert (found.id, found.person.id, found.membership.participant) == (key.id, user.id, "acme")
    raw = Path(house.people._db.engine.url.database or "")
    stored = raw.read_bytes() + raw.with_name(raw.name + "-wal").read_bytes()
    assert secret.encode() not in stored and secret[-43:].encode() not in stored
    assert "key_made" in [message.kind for message in house.people.messages(user.id).rows]  # type: ignore[attr-defined]


def test_P2_wrong_expired_and_revoked_keys_are_refused(house: House, user: User) -> None:
    secret, key = house.people.create_key(user.session, "k", ["read"], lifetime=timedelta(days=1), address=HERE, now=house.clock.now)
    for wrong in (secret[:-1] + ("A" if secret[-1] != "A" else "B"), "", "tonne_x_y", "x" * 10_000, "tonne_aaaaaaaa_" + "é" * 43):
        with refused("wrong_key"):
            house.people.key(wrong, house.clock.now)
    assert house.people.key(secret, house.clock.now + timedelta(hours=23))
    with refused("expired"):
        house.people.key(secret, house.clock.now + timedelta(days=1))
    stranger = house.user(rights=("manage",), participant="other")
    with refused("not_permitted"):
        house.people.revoke_key(key.id, by=stranger.who, now=house.clock.now)
    house.people.revoke_key(key.id, by=user.who, now=house.clock.now)
    with refused("ended"):
        house.people.key(secret, house.clock.now)


def test_P2_a_key_may_at_most_what_its_person_may(house: House) -> None:
    user = house.user(rights=("read", "initiate", "approve", "manage"))
    for scopes in (["trade"], ["approve"], ["read", "approve"], ["manage"]):
        with refused("not_permitted"):
            house.people.create_key(user.session, "k", scopes, address=HERE, now=house.clock.now)
    for bad in ([], ["everything"]):
        with refused("bad_value"):
            house.people.create_key(user.session, "k", bad, address=HERE, now=house.clock.now)
    with refused("bad_value"):
        house.people.create_key(user.session, "k", ["read"], lifetime=timedelta(days=366), address=HERE, now=house.clock.now)


def test_P2_a_key_approves_only_where_another_person_allowed_it(house: House) -> None:
    user, manager = house.user(rights=("read", "approve", "manage")), house.user(rights=("manage",))
    secret, key = house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    house.people.key(secret, house.clock.now)
    with refused("same_person"):
        house.people.allow_key_to_approve(key.id, by=user.who, now=house.clock.now)
    house.people.allow_key_to_approve(key.id, by=manager.who, now=house.clock.now)
    assert house.people.key(secret, house.clock.now).scopes == {"read", "approve"}
    reader = house.user(rights=("read",))
    _, other = house.people.create_key(reader.session, "k", ["read"], address=HERE, now=house.clock.now)
    with refused("not_permitted"):
        house.people.allow_key_to_approve(other.id, by=manager.who, now=house.clock.now)


def test_P2_last_use_is_noted_lazily_and_kept(house: House, user: User) -> None:
    secret, key = house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    assert house.people.keys_of(user.id)[0].last_used is None
    used = house.clock.pass_(minutes=3)
    house.people.key(secret, used)
    assert house.people.keys_of(user.id)[0].last_used == used
    assert [found.id for found in house.people.keys_of(system="sys", participant="acme")] == [key.id]


def test_P2_the_number_of_keys_is_bounded(house: House, user: User) -> None:
    for _ in range(house.people.settings.keys_per_membership):
        house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    with refused("too_many_keys"):
        house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)


MINUTE = Rate("pages", 60, timedelta(minutes=1))


def test_P1_counts_are_exact_under_eight_workers() -> None:
    limits, given = Limits(), Counter[str]()
    lock = threading.Lock()

    def work() -> None:
        for _ in range(50):
            try:
                limits.take((MINUTE, "u"), now=START)
                name = "given"
            except PeopleRefused as refusal:
                name = refusal.name
            with lock:
                given[name] += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given == {"given": 60, "too_many_requests": 340}


def test_P1_retry_after_is_never_too_short_and_buckets_fill_without_drift() -> None:
    rate, limits, now = Rate("odd", 7, timedelta(seconds=60)), Limits(), START
    for _ in range(7):
        limits.take((rate, "u"), now=now)
    given = 7
    for _ in range(100):
        with pytest.raises(PeopleRefused) as caught:
            limits.take((rate, "u"), now=now)
        assert caught.value.retry_after is not None
        now += timedelta(seconds=caught.value.retry_after)
        limits.take((rate, "u"), now=now)
        given += 1
    assert given <= 7 + (now - START) / timedelta(seconds=60) * 7


def test_P1_several_rates_give_all_or_none_and_keys_do_not_share() -> None:
    limits, small = Limits(), Rate("exports", 2, timedelta(minutes=1))
    for _ in range(2):
        limits.take((MINUTE, "u"), (small, "u"), now=START)
    with refused("too_many_requests"):
        limits.take((MINUTE, "u"), (small, "u"), now=START)
    assert limits.left(MINUTE, "u", now=START) == 58 and limits.left(small, "u", now=START) == 0 and limits.left(small, "v", now=START) == 2
    assert limits.left(small, "u", now=START + timedelta(seconds=30)) == 1


def test_P1_a_burst_is_smaller_or_larger_than_a_period_gives() -> None:
    limits, rate = Limits(), Rate("slow", 60, timedelta(minutes=1), burst=3)
    for _ in range(3):
        limits.take((rate, "u"), now=START)
    with refused("too_many_requests"):
        limits.take((rate, "u"), now=START)
    limits.take((rate, "u"), now=START + timedelta(seconds=1))


def test_P1_memory_is_bounded() -> None:
    limits = Limits(keys_max=100)
    for number in range(1000):
        limits.take((MINUTE, str(number)), now=START)
    assert len(limits._full_at) <= 101
