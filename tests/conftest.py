"""What all tests share: hypothesis without a clock (nothing here is timed), and the same examples every time where CI runs."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("tonne", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tonne")
