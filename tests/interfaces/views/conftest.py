"""Markets for the views: one made by hand, an exchange made by hand, and a generated one that ran two years."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The small markets are those of the administration's tests.
sys.path.insert(0, str(Path(__file__).parents[2] / "administration"))

from small_markets import Desk, eu, figures

import tonne
from stores import postgres, postgres_url, where  # noqa: F401
from tonne.interfaces.views.cache import Cache


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def market() -> Desk:
    """alice runs A1 and holds 1,000 units, bob runs B1 and holds 500; 2019 is reported (700 and 600), A1 verified; it is 1 February 2020."""
    desk = eu()
    desk.advance("2019-12-31")
    desk.accept("report", day="2020-02-01", tables={"reports": figures(2019, A1=700, B1=600)})
    desk.accept("verify", tables={"reports": {"installation": ["A1"], "year": [2019], "verified": [700]}})
    return desk


@pytest.fixture(scope="session")
def ran() -> Iterator[Any]:
    """A generated market of sixty installations that ran 2021 and 2022, with auctions and fines; it is 1 September 2023."""
    with tonne.run("eu-ets", (2021, 2022), synthetic=60) as run:
        yield run
