"""What all tests share: hypothesis without a clock (nothing here is timed), and the same examples every time where CI runs."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("tonne", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tonne")


@pytest.fixture(autouse=True)
def _plain_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have set the width of their terminal; what is printed here is as wide as where there is none."""
    monkeypatch.delenv("COLUMNS", raising=False)
