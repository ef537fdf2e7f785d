"""The gate: nobody reads while the writer changes, the writer does not change while somebody reads, nobody is kept out for ever."""

from __future__ import annotations

import threading
import time

from tonne.store.gate import Gate


def test_a_reader_never_sees_half_a_change_and_both_sides_get_their_turns() -> None:
    gate, pair, torn, reads, ends = Gate(), [0, 0], [], [0] * 6, threading.Event()

    def read(number: int) -> None:
        while not ends.is_set():
            with gate.reading():
                first = pair[0]
                time.sleep(0)
                if pair[1] != first:
                    torn.append((first, pair[1]))
            reads[number] += 1

    readers = [threading.Thread(target=read, args=(number,)) for number in range(6)]
    for thread in readers:
        thread.start()
    for turn in range(400):  # would never end if readers could keep the writer out
        with gate.writing():
            pair[0] = turn
            time.sleep(0)
            pair[1] = turn
    ends.set()
    for thread in readers:
        thread.join(10)
    assert not torn
    assert pair == [399, 399]
    assert all(reads), "a reader never got its turn"


def test_readers_read_together() -> None:
    gate, together = Gate(), threading.Barrier(3, timeout=10)

    def read() -> None:
        with gate.reading():
            together.wait()  # breaks if they cannot be inside at the same time

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not together.broken


def test_a_reader_waits_while_the_writer_works() -> None:
    gate, seen, inside, go = Gate(), [], threading.Event(), threading.Event()

    def write() -> None:
        with gate.writing():
            inside.set()
            go.wait(10)
            seen.append("written")

    def read() -> None:
        with gate.reading():
            seen.append("read")

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(10)
    reader = threading.Thread(target=read)
    reader.start()
    go.set()
    writer.join(10)
    reader.join(10)
    assert seen == ["written", "read"]
