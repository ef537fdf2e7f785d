"""A room with quick hashes, a moved clock, and a person who can log in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Works with and without `pythonpath = ["tests"]` in pyproject.toml.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from cast import Clock, House, User, quick

from stores import postgres, postgres_url, where  # noqa: F401
from tonne.people import People, open_people


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    made = open_people(tmp_path / "people.db", quick())
    yield made
    made.close()


@pytest.fixture
def house(people: People, clock: Clock) -> House:
    return House(people, clock)


@pytest.fixture
def user(house: House) -> User:
    return house.user(rights=("read", "initiate"))
