"""Checklist S1 and S3 to S6, and the session keys of G7."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cast import PASSWORD, SECRET, Clock, House, User, quick, refused

from tonne.people import COMMAND, People, PeopleRefused, open_people

HERE = "192.0.2.1"


def test_S1_the_token_is_random_new_at_login_and_at_step_up_and_stored_hashed(house: House, user: User) -> None:
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    full = house.people.prove(pending.token, user.code(), address=HERE, now=house.clock.now)
    assert len(full.token) == 43 and full.token != pending.token
    with refused("ended"):
        house.people.session(pending.token, house.clock.now)
    after = house.people.step_up(full.token, "hash", user.code(), address=HERE, now=house.clock.now)
    assert after.token != full.token and after.session.id == full.session.id
    with refused("no_session"):
        house.people.session(full.token, house.clock.now)
    assert house.people.session(after.token, house.clock.now).is_full
    raw = Path(house.people._db.engine.url.database or "")
    stored = raw.read_bytes() + raw.with_name(raw.name + "-wal").read_bytes()
    assert after.token.encode() not in stored and full.token.encode() not in stored
    assert after.token not in repr(after)


def test_S3_fifteen_minutes_idle_end_it_and_use_keeps_it(house: House, user: User) -> None:
    for _ in range(4):
        house.clock.pass_(minutes=14, seconds=59)
        assert house.people.session(user.token, house.clock.now)
    house.clock.pass_(minutes=15)
    with refused("expired"):
        house.people.session(user.token, house.clock.now)


def test_S3_streams_do_not_keep_a_session_awake(house: House, user: User) -> None:
    for _ in range(14):
        house.people.session(user.token, house.clock.pass_(minutes=1), touch=False)
    assert house.people.idle_ends_at(user.token, house.clock.now) == house.clock.now + timedelta(minutes=1)
    with refused("expired"):
        house.people.session(user.token, house.clock.pass_(minutes=1), touch=False)


def test_S3_eight_hours_end_it_whatever_is_done(house: House, user: User) -> None:
    begun = house.clock.now
    while house.clock.now - begun < timedelta(hours=7, minutes=55):
        house.people.session(user.token, house.clock.pass_(minutes=5))
    with refused("expired"):
        house.people.session(user.token, house.clock.pass_(minutes=5))


def test_S3_idle_time_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    people = open_people(tmp_path / "p.db", quick())
    user = House(people, clock).user()
    clock.pass_(minutes=10)
    people.session(user.token, clock.now)
    people.close()
    people = open_people(tmp_path / "p.db", quick())
    assert people.session(user.token, clock.pass_(minutes=14))
    with refused("expired"):
        people.session(user.token, clock.pass_(minutes=15))
    people.close()


def test_S4_logout_suspension_and_lost_rights_end_sessions_and_keys_at_once(house: House) -> None:
    heard: list[tuple[str, str]] = []
    house.people.watch(lambda kind, made: heard.append((kind, made)))
    one = house.user(rights=("read", "initiate"))
    session = one.session
    house.people.logout(one.token, now=house.clock.now)
    assert heard[-1] == ("session", session.id)
    with refused("ended"):
        house.people.session(one.token, house.clock.now)

    two = house.user(rights=("read", "initiate"))
    secret, key = house.people.create_key(two.session, "k", ["read"], address=HERE, now=house.clock.now)
    assert house.people.key(secret, house.clock.now).id == key.id
    house.people.suspend_person(two.id, by=COMMAND, now=house.clock.now)
    assert ("key", key.id) in heard
    with refused("ended"):
        house.people.session(two.token, house.clock.now)
    with refused("ended"):
        house.people.key(secret, house.clock.now)
    with refused("wrong_login"):
        house.people.login(two.email, PASSWORD, address=HERE, now=house.clock.now)
    house.people.restore_person(two.id, by=COMMAND, now=house.clock.now)
    with refused("ended"):
        house.people.key(secret, house.clock.now)
    assert two.log_in()

    for stop in (house.people.suspend_membership, house.people.revoke):
        user = house.user(rights=("read", "initiate"))
        secret, _ = house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
        house.people.key(secret, house.clock.now)
        stop(user.session.memberships[0].id, by=COMMAND, now=house.clock.now)
        with refused("ended"):
            house.people.session(user.token, house.clock.now)
        with refused("ended"):
            house.people.key(secret, house.clock.now)
        user.log_in()
        assert user.session.memberships == () and user.session.acting is None


def test_S4_a_right_taken_ends_sessions_and_a_right_added_shows_at_once(house: House, user: User) -> None:
    assert user.session.acting is not None and "approve" not in user.session.acting.rights
    user.grant("sys", "other", "read")
    assert len(user.session.memberships) == 2
    secret, _ = house.people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    user.grant("sys", "acme", "read", "initiate", "approve")
    acting = user.session.acting
    assert acting is not None and acting.participant == "acme" and "approve" in acting.rights
    assert house.people.key(secret, house.clock.now).membership == acting
    user.grant("sys", "other", "initiate")
    with refused("ended"):
        house.people.session(user.token, house.clock.now)


def test_S4_a_change_by_another_process_is_seen_within_five_seconds(house: House, user: User) -> None:
    assert user.session
    other = open_people(house.people._db.engine.url.database or "", house.people.settings)
    other.suspend_person(user.id, by=COMMAND, now=house.clock.now)
    other.close()
    with refused("ended"):
        house.people.session(user.token, house.clock.pass_(seconds=5))


def test_S5_a_user_sees_and_ends_own_sessions_only(house: House, user: User) -> None:
    first = user.token
    user.log_in(device="two")
    lines = house.people.sessions_of(user.id, house.clock.now)
    assert len(lines) == 2 and {line.agent for line in lines} == {"Browser"}
    stranger = house.user()
    with refused("unknown"):
        house.people.end_session(user.token, stranger.session.id, now=house.clock.now)
    assert stranger.session
    gone = house.people.session(first, house.clock.now).id
    house.people.end_session(user.token, gone, now=house.clock.now)
    with refused("ended"):
        house.people.session(first, house.clock.now)
    assert [line.id for line in house.people.sessions_of(user.id, house.clock.now)] == [user.session.id]


def test_S5_after_a_change_of_password_the_others_can_be_ended(house: House, user: User) -> None:
    first = user.token
    user.log_in(device="two")
    assert house.people.change_password(user.token, PASSWORD, "quiet otters fold maps", address=HERE, now=house.clock.now) == 1
    assert house.people.end_other_sessions(user.token, now=house.clock.now) == 1
    with refused("ended"):
        house.people.session(first, house.clock.now)
    assert user.session


def test_S5_at_most_three_sessions_and_the_code_is_not_used_up_by_asking(house: House, user: User) -> None:
    first = user.token
    user.log_in()
    user.log_in()
    pending = house.people.login(user.email, PASSWORD, address=HERE, device="device-one", now=house.clock.now)
    code = user.code()
    with refused("too_many_sessions"):
        house.people.prove(pending.token, code, address=HERE, now=house.clock.now)
    assert house.people.prove(pending.token, code, address=HERE, end_oldest=True, now=house.clock.now).session.is_full
    with refused("ended"):
        house.people.session(first, house.clock.now)
    assert len(house.people.sessions_of(user.id, house.clock.now)) == 3


def test_S5_a_session_that_is_over_does_not_count(house: House, user: User) -> None:
    user.log_in()
    user.log_in()
    house.clock.pass_(minutes=15)
    assert user.log_in()


def test_S6_a_confirmation_is_for_one_content_one_session_once_and_five_minutes(house: House, user: User) -> None:
    people, clock = house.people, house.clock

    def step_up(content: str) -> None:
        user.token = people.step_up(user.token, content, user.code(), address=HERE, now=clock.now).token

    step_up("A")
    with refused("not_confirmed"):
        people.confirmed(user.session, "B", now=clock.now)
    second = User(people, clock, user.id, user.email, secret=user.secret)
    second.log_in()
    with refused("not_confirmed"):
        people.confirmed(second.session, "A", now=clock.now)
    assert people.confirmed(user.session, "A", now=clock.now)
    with refused("not_confirmed"):
        people.confirmed(user.session, "A", now=clock.now)
    step_up("A")
    clock.pass_(minutes=5)
    with refused("not_confirmed"):
        people.confirmed(user.session, "A", now=clock.now)
    step_up("A")
    clock.pass_(minutes=4, seconds=59)
    assert people.confirmed(user.session, "A", now=clock.now)


def test_S6_the_same_code_does_not_confirm_twice(house: House, user: User) -> None:
    code = user.code()
    login = house.people.step_up(user.token, "A", code, address=HERE, now=house.clock.now)
    with refused("code_used"):
        house.people.step_up(login.token, "B", code, address=HERE, now=house.clock.now)
    with refused("wrong_code"):
        house.people.step_up(login.token, "B", "12345", address=HERE, now=house.clock.now)


def test_S6_two_at_once_consume_one_confirmation(house: House, user: User) -> None:
    user.token = house.people.step_up(user.token, "A", user.code(), address=HERE, now=house.clock.now).token
    session, outcomes = user.session, []

    def consume() -> None:
        try:
            house.people.confirmed(session, "A", now=house.clock.now)
            outcomes.append("yes")
        except PeopleRefused as refusal:
            outcomes.append(refusal.name)

    threads = [threading.Thread(target=consume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["not_confirmed"] * 7 + ["yes"]


def test_G7_the_form_token_belongs_to_the_session_and_survives_a_rotation_of_secrets(tmp_path: Path, clock: Clock) -> None:
    where, new = tmp_path / "p.db", "n" + SECRET[::-1]
    people = open_people(where, quick())
    user, other = (House(people, clock).user() for _ in range(2))
    given = people.csrf(user.session)
    assert people.csrf_fits(user.session, given) and not people.csrf_fits(other.session, given)
    assert not people.csrf_fits(user.session, "") and not people.csrf_fits(user.session, "é" * 64)
    people.close()
    people = open_people(where, replace(quick(), secrets=(new, SECRET)))
    session = people.session(user.token, clock.now)
    assert people.csrf_fits(session, given) and people.csrf(session) != given
    people.close()
    people = open_people(where, replace(quick(), secrets=(new,)))
    assert not people.csrf_fits(people.session(user.token, clock.now), given)
    people.close()


def test_acting_is_one_of_ones_own_memberships(house: House, user: User) -> None:
    second = user.grant("sys", "other", "read")
    assert house.people.act_as(user.token, second, now=house.clock.now).acting.participant == "other"  # type: ignore[union-attr]
    assert user.session.acting is not None and user.session.acting.id == second
    stranger = house.user(rights=("read",))
    with refused("not_permitted"):
        house.people.act_as(user.token, stranger.session.memberships[0].id, now=house.clock.now)
    assert house.people.act_as(user.token, None, now=house.clock.now).acting is None


def test_lookups_are_answered_from_memory(people: People, house: House, user: User) -> None:
    """Counted, not timed: a hundred lookups of a session and a key ask the database nothing."""
    import sqlalchemy as sa

    secret, _ = people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    people.key(secret, house.clock.now)
    people.session(user.token, house.clock.now)
    asked: list[str] = []
    sa.event.listen(people._db.engine, "before_cursor_execute", lambda conn, cursor, statement, *more: asked.append(statement))
    for _ in range(100):
        people.session(user.token, house.clock.now)
        people.key(secret, house.clock.now)
    assert asked == []
