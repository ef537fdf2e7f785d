"""A writer killed at random moments: everything it acknowledged is stored, nothing is there twice, and the next writer goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from stores import chain
from tonne.store import open_log

ROUNDS = 10
HERE = Path(__file__)
CHILD = """
import sys
sys.path[:0] = {paths!r}
from stores import chain
from tonne.store import Decision, GroupCommit, open_log
import threading

log = open_log({where!r}, chunk_bytes=20_000, patience_s=20)
last = None
for last in log.read(after=max(0, log.head().sequence - 1)):
    pass
prefix = {prefix!r}

def decide(requests):
    global last
    decisions = []
    for request in requests:
        last = chain(1, after=last, name=prefix + request + "-", tables=bytes(len(request) % 3 * 15_000))[0]
        decisions.append(Decision(last.sequence, last))
    if last.sequence % 7 == 0:
        log.save_snapshot(log.head().sequence, b"h", bytes(50_000))
    return decisions

commit = GroupCommit(log, decide)
print("ready", flush=True)

def work(caller):
    number = 0
    while True:
        sequence = commit.call(f"{{caller}}/{{number}}")
        sys.stdout.write(f"{{sequence}}\\n")
        sys.stdout.flush()
        number += 1

for caller in range(4):
    threading.Thread(target=work, args=(caller,)).start()
"""


def test_a_writer_killed_at_any_moment(where: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201  pytest shows it with a failure
    moments = random.Random(seed)
    paths = [str(HERE.parents[1]), str(HERE.parents[2] / "src")]
    total = 0
    for number in range(ROUNDS):
        code = CHILD.format(paths=paths, where=where, prefix=f"{number}.")
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert child.stdout is not None and child.stderr is not None
        try:
            ready = child.stdout.readline()
            assert ready == "ready\n", child.stderr.read()
            time.sleep(moments.uniform(0.0, 0.3))
        finally:
            child.kill()
            said, complaint = child.communicate()
        assert complaint == ""
        acknowledged = [int(line) for line in said.split("\n")[:-1]]
        with open_log(where, patience_s=20) as log:
            assert log.verify_chain() == []
            stored = [entry.sequence for entry in log.read()]
            assert stored == list(range(1, len(stored) + 1))
            assert max(acknowledged, default=0) <= len(stored)
            assert len(set(acknowledged)) == len(acknowledged)
            ids = [entry.command_id for entry in log.read()]
            assert len(set(ids)) == len(ids)
            assert log.head().sequence == len(stored)
            snapshot = log.latest_snapshot()
            assert snapshot is None or (len(snapshot.state) == 50_000 and snapshot.sequence <= len(stored))
        total += len(acknowledged)
    assert total > 0
    with open_log(where) as log:
        *_, last = log.read()
        log.append(chain(1, after=last, name="after"))


def test_a_writer_killed_while_it_creates_its_store(where: str) -> None:
    moments = random.Random(7)
    # Alembic is loaded first, so that the kills fall into the creating and not into the importing.
    code = f"import sys; sys.path[:0] = {[str(HERE.parents[2] / 'src')]!r}\nimport alembic.command, sqlalchemy\nfrom tonne.store import open_log\n"
    code += f"print(flush=True)\nopen_log({where!r}, patience_s=20)"
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.25))
        child.kill()
        child.communicate()
    with open_log(where, patience_s=20) as log:
        log.append(chain(1))
        assert log.verify_chain() == []
