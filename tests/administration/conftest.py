"""The stores of this folder's crash tests come from tests/stores.py; one small rulebook is written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_markets import Desk, eu, tiny_folder

from stores import postgres, postgres_url, where  # noqa: F401


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a rulebook that is written here and nowhere else."""
    return tiny_folder(tmp_path / "tiny-ets")


@pytest.fixture
def market() -> Iterator[Desk]:
    """A European market on 1 January 2019; what its tests leave is replayed and audited."""
    desk = eu()
    yield desk
    desk.check()
