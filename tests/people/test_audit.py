"""Checklist G1, G2, G3, G5, G6 and G10: the trail, and what is not in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cast import PASSWORD, START, Clock, House, User, quick, refused

from stores import execute
from tonne.people import COMMAND, People, Who, open_people
from tonne.people.audit import Row, encoded
from tonne.people.tables import audit

HERE = "192.0.2.1"


def rows(people: People, **given: object) -> list[Row]:
    return list(people.audit.page(limit=500, **given).rows)  # type: ignore[arg-type]


def test_G1_a_row_tells_who_for_whom_by_which_right_from_where_what_result_and_when(people: People) -> None:
    who = Who("p-1", "sys", "acme", "initiate", HERE, "s-1")
    at = datetime(2026, 11, 20, 17, 0, tzinfo=UTC).astimezone()
    assert people.record(who, "transfer", "T-1 of 10", "accepted", now=at, reference="R7") == 1
    (row,) = rows(people)
    assert row == Row(1, at.astimezone(UTC), "p-1", "sys", "acme", "initiate", HERE, "s-1", "transfer", False, "T-1 of 10", "accepted", "R7")
    with pytest.raises(ValueError, match="time zone"):
        people.record(who, "transfer", "", "", now=datetime(2026, 1, 1))  # noqa: DTZ001


def test_G2_logins_refusals_views_exports_and_step_ups_are_counted_after_a_scripted_day(house: House, user: User) -> None:
    people = house.people
    with refused("wrong_login"):
        people.login(user.email, "wrong", address=HERE, now=house.clock.now)
    with refused("wrong_login"):
        people.login("nobody@example.org", "wrong", address=HERE, now=house.clock.now)
    user.log_in()
    user.token = people.step_up(user.token, "A", user.code(), address=HERE, now=house.clock.now).token
    people.confirmed(user.session, "A", now=house.clock.now)
    with refused("not_confirmed"):
        people.confirmed(user.session, "A", now=house.clock.now)
    with refused("not_permitted"):
        people.add_person("x@example.org", "X", by=user.who, now=house.clock.now)
    people.audit.view(user.who, "person.view", f"person {user.id}", house.clock.now)
    people.record(user.who, "export", "accounts.csv", "done", now=house.clock.now)
    people.logout(user.token, now=house.clock.now)
    seen = [(row.verb, row.result) for row in rows(people)]
    assert seen.count(("login", "wrong_login")) == 2 and seen.count(("login", "done")) == 1 and seen.count(("login.code", "done")) == 1
    for once in (
        ("step_up", "done"), ("confirm", "done"), ("confirm", "not_confirmed"), ("person.add", "not_permitted"), ("person.view", "shown"),
        ("export", "done"), ("logout", "done"),
    ):  # fmt: skip
        assert seen.count(once) == 1, once
    assert people.audit.first_fault() is None


def test_G2_a_refusal_leaves_its_row_and_nothing_else(house: House, user: User) -> None:
    before = house.people.audit.head()[0]
    with refused("same_person"):
        house.people.grant(user.id, "sys", "acme", ["manage"], by=user.who, now=house.clock.now)
    (row,) = house.people.audit.after(before, 10)
    assert (row.verb, row.result, row.person, row.right) == ("membership.grant", "same_person", user.id, "")
    assert user.session.memberships[0].rights == {"read", "initiate"}


def test_G2_views_are_buffered_and_commands_are_not(people: People) -> None:
    who = Who("p-1", address=HERE)
    people.audit.view(who, "account.view", "A-1", START)
    with people._db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one() == 0
    people.record(who, "transfer", "", "accepted", now=START)
    with people._db.read() as connection:
        assert connection.execute(sa.select(audit.c.verb)).scalars().all() == ["transfer"]
    assert people.audit.flush() == 1 and people.audit.flush() == 0
    assert [row.verb for row in rows(people)] == ["account.view", "transfer"]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE people_audit SET result = 'accepted' WHERE number = 3", "row 3 was changed"),
        ("UPDATE people_audit SET what = 'x' WHERE number = 1", "row 1 was changed"),
        ("UPDATE people_audit SET at = '2026-11-20 09:00:00.000001' WHERE number = 4", "row 4 was changed"),
        ("UPDATE people_audit SET address = '192.0.2.99' WHERE number = 2", "row 2 has another address than it had"),
        ("DELETE FROM people_audit WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM people_audit WHERE number = 5", "the trail ends at row 4, and its head says 5"),
        ("UPDATE people_audit SET previous = zeroblob(32) WHERE number = 5", "row 5 does not follow the row before it"),
    ],
)
def test_G3_a_changed_missing_or_cut_row_is_named(tmp_path: Path, statement: str, fault: str) -> None:
    people = open_people(tmp_path / "p.db", quick())
    for number in range(5):
        people.record(Who("p-1", address=HERE), "transfer", f"T-{number}", "refused", now=START)
    assert people.audit.first_fault() is None
    number, head = people.audit.head()
    assert number == 5 and len(head) == 64
    execute(str(tmp_path / "p.db"), statement)
    assert people.audit.first_fault() == fault
    people.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada\r\nlogin p-1 done", "Ada\\u000d\\u000alogin p-1 done"), ("\x1b[31mred", "\\u001b[31mred"), ("a\u2028b", "a\\u2028b"),
        ("\u202egnp.exe", "\\u202egnp.exe"), ("back\\slash", "back\\\\slash"), ("碳市场", "碳市场"),
        ("x" * 600, "x" * 499 + "…"), ("\x00\x7f", "\\u0000\\u007f"),
    ],
)  # fmt: skip
def test_G5_control_characters_are_encoded(people: People, text: str, shown: str) -> None:
    assert encoded(text) == shown
    people.record(Who("p-1", system=text, address=text), text, text, text, now=START)
    (row,) = rows(people)
    assert {row.system, row.address, row.verb, row.what, row.result} == {shown}
    assert people.audit.first_fault() is None


def test_G6_no_secret_is_in_the_trail_nor_in_the_clear_anywhere(house: House, user: User) -> None:
    people = house.people
    secret, _ = people.create_key(user.session, "k", ["read"], address=HERE, now=house.clock.now)
    people.request_reset(user.email, address=HERE, now=house.clock.now)
    link = next(message.link for message in people.letters_to_send() if message.kind == "reset")
    code = user.code()
    user.token = people.step_up(user.token, "A", code, address=HERE, now=house.clock.now).token
    people.login(user.email, PASSWORD, address=HERE, device=user.device, now=house.clock.now)
    with refused("wrong_login"):
        people.login("stranger@example.org", "a secret typed in the wrong field", address=HERE, now=house.clock.now)
    everything = "\n".join(map(str, rows(people)))
    for text in (PASSWORD, user.token, user.secret, secret, link, user.email, "stranger@example.org", "a secret typed", "Ada Quill", *user.recovery):
        assert text not in everything
    file = Path(people._db.engine.url.database or "")
    stored = file.read_bytes() + file.with_name(file.name + "-wal").read_bytes()
    for text in (PASSWORD, user.token, user.secret, secret, link, user.device, *user.recovery):
        assert text.encode() not in stored


def test_the_trail_is_filtered_and_paged(people: People) -> None:
    for number in range(30):
        who = Who(f"p-{number % 3}", "sys", "acme" if number % 2 else "other", address=HERE)
        people.record(who, "transfer.propose" if number % 5 else "login", f"T-{number}", "done", now=START + timedelta(hours=number))
    page = people.audit.page(person="p-1", offset=2, limit=3)
    assert page.total == 10 and [row.what for row in page.rows] == ["T-22", "T-19", "T-16"]  # type: ignore[attr-defined]
    assert people.audit.page(verb="transfer.*").total == 24 and people.audit.page(verb="login").total == 6
    assert people.audit.page(system="sys", participant="acme").total == 15
    assert people.audit.page(since=START + timedelta(hours=10), until=START + timedelta(hours=12)).total == 2
    assert people.audit.page(views=True).total == 0
    assert [row.number for row in people.audit.after(28, 10)] == [29, 30]


def test_G10_an_erased_person_is_gone_from_every_byte_and_nothing_else_breaks(tmp_path: Path, clock: Clock) -> None:
    where = tmp_path / "p.db"
    people = open_people(where, quick())
    house = House(people, clock)
    user = house.user("zebediah.quillfeather@example.org", "Zebediah Quillfeather", rights=("read", "initiate"))
    other = house.user(rights=("read",))
    user.address = "198.51.100.77"
    user.log_in()
    people.save_draft(user.id, "transfer", {"note": "Quillfeather's draft"}, now=clock.now)
    people.upload("quillfeather.csv", b"a,b\nQuillfeather,1\n", by=user.who, now=clock.now)
    application = people.begin_application("sys", "Works", ["identity"], by=user.who, now=clock.now)
    people.save_application(application.id, "Works", {"contact": "Zebediah Quillfeather"}, by=user.who, now=clock.now)
    secret, _ = people.create_key(user.session, "Quillfeather's key", ["read"], address=user.address, now=clock.now)
    token, total, number = user.token, people.find_persons().total, people.audit.head()[0]

    with refused("not_permitted"):
        people.erase_person(user.id, by=other.who, now=clock.now)
    people.erase_person(user.id, by=COMMAND, now=clock.now)

    gone = people.person(user.id)
    assert (gone.id, gone.email, gone.name, gone.state, gone.has_password, gone.factor) == (user.id, "", "", "erased", False, "")
    for name, lookup in (("no_session", lambda: people.session(token, clock.now)), ("ended", lambda: people.key(secret, clock.now))):
        with refused(name):
            lookup()
    with refused("wrong_login"):
        people.login(user.email, PASSWORD, address=HERE, now=clock.now)
    assert people.find_persons().total == total - 1 and people.names([user.id, other.id]) == {user.id: "", other.id: "Ada Quill"}
    assert people.audit.first_fault() is None and people.audit.head()[0] > number
    assert [membership.state for membership in people.memberships_of(user.id, all_states=True)] == ["ended"]
    assert people.messages(user.id).total == 0 and people.draft(user.id, "transfer") is None and people.files_of(user.id) == ()
    assert people.application(application.id, by=COMMAND).answers == {}
    assert people.message(user.id, "notice", "Hello", "text", now=clock.now) == ""
    people.close()
    for file in where.parent.iterdir():
        stored = file.read_bytes().lower()
        for word in (b"quillfeather", b"zebediah", b"198.51.100.77"):
            assert word not in stored, (file.name, word)
    people = open_people(where, quick())
    again = people.add_person(user.email, "Zebediah Quillfeather", by=COMMAND, now=clock.now)
    assert again.id != user.id and people.audit.first_fault() is None
    people.close()


def test_G10_a_person_can_erase_oneself(house: House, user: User) -> None:
    house.people.erase_person(user.id, by=user.who, now=house.clock.now)
    assert house.people.person(user.id).state == "erased" and user.address not in "\n".join(map(str, rows(house.people)))
