"""Builds the browser's files when tonne is installed; everything else stands in pyproject.toml."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# The one module is read by its folder, not as a part of tonne: none of tonne's dependencies is there while it is built.
WEB = Path("src") / "tonne" / "interfaces" / "web"
sys.path.insert(0, str(Path(__file__).resolve().parent / WEB))
import assets_build  # noqa: E402


class BuildWithAssets(build_py):
    """Builds assets/ before the package's files are gathered, in a normal and in an editable installation."""

    def run(self) -> None:
        try:
            self.announce(assets_build.build(), level=2)
        except assets_build.AssetsError as error:
            raise SystemExit(str(error)) from None
        # What an earlier build left behind has other hashes in its names, and would go into the wheel beside the new.
        shutil.rmtree(Path(self.build_lib) / WEB.relative_to("src") / "assets", ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": BuildWithAssets})
