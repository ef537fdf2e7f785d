"""The stores of this folder's tests come from tests/stores.py."""

import sys
from pathlib import Path

# Works with and without `pythonpath = ["tests"]` in pyproject.toml.
sys.path.insert(0, str(Path(__file__).parents[1]))

from stores import postgres, postgres_url, where  # noqa: F401
