"""Both databases: tables as the migrations make them, threads, restarts, addresses, and no password in any message."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cast import Clock, House, kinds, quick, refused

from tonne.people import COMMAND, PeopleUnavailable, Who, migrate, open_people
from tonne.people.database import Database
from tonne.people.tables import metadata

HERE = "192.0.2.1"


def test_a_whole_day_on_each_database(where: str, clock: Clock) -> None:
    people = open_people(where, quick())
    house = House(people, clock)
    user, manager = house.user(rights=("read", "initiate", "approve")), house.user(rights=("manage",))
    user.log_in()
    user.token = people.step_up(user.token, "A", user.code(), address=HERE, now=clock.now).token
    people.confirmed(user.session, "A", now=clock.now)
    secret, key = people.create_key(user.session, "k", ["read"], address=HERE, now=clock.now)
    people.allow_key_to_approve(key.id, by=manager.who, now=clock.now)
    assert people.key(secret, clock.now).scopes == {"read", "approve"}
    for _ in range(5):
        with refused("wrong_login"):
            people.login(user.email, "wrong", address=HERE, now=clock.now)
    with refused("locked"):
        people.login(user.email, "wrong", address=HERE, now=clock.now)
    assert "login_blocked" in kinds(people, user.id)
    made = people.upload("a.csv", b"a,b\n", by=Who(user.id, "sys", "acme"), now=clock.now)
    assert people.file_content(made.id, by=user.who, now=clock.now)[1] == b"a,b\n"
    application = people.begin_application("sys", "Works", ["one"], by=user.who, now=clock.now)
    people.send_application(application.id, by=user.who, now=clock.now)
    people.save_draft(user.id, "f", {"a": 1}, now=clock.now)
    people.audit.view(user.who, "account.view", "A", clock.now)
    assert people.find_persons("QUILL").total == 2 and people.audit.page(verb="login*").total > 5
    people.close()

    people = open_people(where, quick(), create=False)
    user.people = people
    assert user.session.person.id == user.id and people.key(secret, clock.now).id == key.id
    assert people.audit.first_fault() is None and people.audit.page(verb="account.view").total == 1
    people.suspend_person(user.id, by=manager.who, now=clock.now)
    people.erase_person(user.id, by=COMMAND, now=clock.now)
    people.tidy(clock.pass_(days=60))
    people.flush(clock.now)
    assert people.person(user.id).state == "erased" and people.audit.first_fault() is None
    people.close()


def test_the_migrations_make_the_tables(where: str) -> None:
    db = Database(where)
    with db.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, parents: name != migrate.VERSION_TABLE, "compare_type": db.kind == "postgresql"}
        )
        assert compare_metadata(context, metadata) == []
        assert connection.execute(sa.text(f"SELECT version_num FROM {migrate.VERSION_TABLE}")).scalar() == migrate.CURRENT
    newest = max(path.stem.partition("_")[0] for path in (migrate.MIGRATIONS / "versions").glob("*.py"))
    assert newest == migrate.CURRENT
    db.close()


def test_nothing_there_later_versions_and_strange_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PeopleUnavailable, match="no persons"):
        Database(tmp_path / "none.db", create=False)
    db = Database(tmp_path / "p.db")
    with db.write() as connection:
        connection.execute(sa.text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    db.close()
    with pytest.raises(PeopleUnavailable, match="version 9999"):
        Database(tmp_path / "p.db")
    for bad in ("", ":memory:", "sqlite://", "mysql://u@h/d", "postgresql://h/d?schema=a;b", "://"):
        with pytest.raises(PeopleUnavailable):
            Database(bad)


def test_no_message_shows_a_password_or_a_value(tmp_path: Path) -> None:
    with pytest.raises(PeopleUnavailable) as caught:
        Database("postgresql://user:hunter2x@127.0.0.1:1/none")
    assert "hunter2x" not in str(caught.value) and "127.0.0.1" in str(caught.value)
    (tmp_path / "other.db").write_bytes(b"this is no database, and long enough to be taken for one" * 40)
    with pytest.raises(PeopleUnavailable):
        Database(tmp_path / "other.db")


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    db = Database(tmp_path / "p.db")
    with db.read() as connection:
        values = [connection.execute(sa.text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")]
    assert values == ["wal", 2, 1, 1]
    with pytest.raises(PeopleUnavailable, match="IntegrityError"), db.write() as connection:
        connection.execute(sa.text("INSERT INTO people_passwords VALUES ('p-nobody', 'x', '2026-01-01 00:00:00.000000')"))
    db.close()


def test_many_threads_write_one_chain(where: str, clock: Clock) -> None:
    people = open_people(where, quick())
    person = people.add_person("x@example.org", "X", by=COMMAND, now=clock.now)
    before = people.audit.head()[0]

    def work(number: int) -> None:
        for each in range(10):
            people.record(Who(person.id, address=HERE), "verb", f"{number}.{each}", "done", now=clock.now)
            people.audit.view(Who(person.id), "view", f"{number}.{each}", clock.now + timedelta(seconds=each))
            people.message(person.id, "k", "subject", "text", now=clock.now)
            assert people.person(person.id).name == "X"

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert people.audit.head()[0] == before + 160 and people.audit.first_fault() is None and people.messages(person.id).total == 80
    people.close()


def test_two_processes_append_to_one_trail(where: str, clock: Clock) -> None:
    """Two rooms on one database stand for two processes: a command line beside a server."""
    rooms = [open_people(where, quick()) for _ in range(2)]

    def work(people: object) -> None:
        for _ in range(20):
            people.record(COMMAND, "verb", "", "done", now=clock.now)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=work, args=(room,)) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rooms[0].audit.head()[0] == 40 and rooms[1].audit.first_fault() is None
    for room in rooms:
        room.close()


def test_tidy_removes_what_is_past_its_retention(where: str, clock: Clock) -> None:
    people = open_people(where, quick())
    user = House(people, clock).user(rights=("read",))
    user.log_in()
    user.token = people.step_up(user.token, "A", user.code(), address=HERE, now=clock.now).token
    people.request_reset(user.email, address=HERE, now=clock.now)
    with refused("wrong_login"):
        people.login(user.email, "wrong", address=HERE, now=clock.now)

    def counts() -> list[int]:
        with people._db.read() as connection:
            names = ("people_sessions", "people_stepups", "people_tickets", "people_attempts")
            return [connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names]

    people.tidy(clock.now)
    assert all(count > 0 for count in counts())
    people.tidy(clock.pass_(days=40))
    assert counts() == [0, 0, 0, 0]
    people.register("late@example.org", "Late", address=HERE, now=clock.now)
    late = people.person_of_email("late@example.org")
    people.tidy(clock.pass_(days=29))
    assert people.person_of_email("late@example.org") == late and late is not None
    people.tidy(clock.pass_(days=2))
    assert people.person_of_email("late@example.org") is None and people.person(late.id).state == "erased"
    assert people.person(user.id).state == "active" and people.audit.first_fault() is None
    people.close()
