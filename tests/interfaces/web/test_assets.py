"""What the browser gets: everything named is there, nothing comes from another host, nothing is written into a page that the policy would stop."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from style_guide import rendered

from tonne.interfaces.web import assets_build, navigation, render, words

WEB = Path(assets_build.__file__).parent
ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
OWN = [*sorted((WEB / "styles").iterdir()), *sorted((WEB / "scripts").iterdir())]
#: What every page loads; charts come on demand.
EVERY_PAGE = ("tabler.css", "tonne.css", "theme.js", "htmx.js", "tonne.js", "inter-latin.woff2", "icons.svg", "mark.svg")


def manifest() -> dict[str, str]:
    file = assets_build.ASSETS / "manifest.json"
    assert file.is_file(), "the assets are not built: run python -m tonne.interfaces.web.assets_build"
    return dict(json.loads(file.read_text(encoding="utf-8")))


def test_everything_that_is_named_is_there() -> None:
    files = manifest()
    wanted = {*assets_build.TAKEN, "icons.svg", "licences.txt", *(path.name for path in OWN)}
    assert set(files) == wanted
    for name, hashed in files.items():
        data = (assets_build.ASSETS / hashed).read_bytes()
        assert hashed.split(".")[-2] == hashlib.sha256(data).hexdigest()[:12], name
        packed = assets_build.ASSETS / f"{hashed}.gz"
        assert packed.is_file() == (Path(name).suffix in assets_build.SQUEEZED), name
        assert not packed.is_file() or gzip.decompress(packed.read_bytes()) == data, name
    there = {path.name.removesuffix(".gz") for path in assets_build.ASSETS.iterdir()}
    assert there == {*files.values(), "manifest.json", "stamp.json"}


def test_the_assets_are_those_of_the_sources() -> None:
    stamp = json.loads((assets_build.ASSETS / "stamp.json").read_text(encoding="utf-8"))
    now = (assets_build._hash(assets_build._npm_inputs()), assets_build._hash(assets_build._own_inputs()))
    assert (stamp["npm"], stamp["own"]) == now, "something changed since the assets were built: run python -m tonne.interfaces.web.assets_build"


def test_styles_templates_and_pages_name_only_what_is_built() -> None:
    files = manifest()
    style = (assets_build.ASSETS / files["tonne.css"]).read_text(encoding="utf-8")
    named = re.findall(r'url\("?([^")]+)', style)
    assert named and set(named) <= set(files.values())
    sprite = (assets_build.ASSETS / files["icons.svg"]).read_text(encoding="utf-8")
    pictures = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    breaches = []
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        breaches += [f"{path.name}: asset {name}" for name in re.findall(r'asset\("([^"]+)"\)', text) if name not in files]
        breaches += [f"{path.name}: icon {name}" for name in re.findall(r'icon\("([^"]+)"', text) if name not in pictures]
    ways = [way[2] for way in (*navigation.WAYS, *navigation.PUBLIC_WAYS, *navigation.WORLD_WAYS)]
    breaches += [f"navigation: icon {name}" for name in ways if name not in pictures]
    assert not breaches, breaches


def test_a_page_stays_light() -> None:
    files = manifest()
    weights = {}
    for name in EVERY_PAGE:
        packed = assets_build.ASSETS / f"{files[name]}.gz"
        weights[name] = (packed if packed.is_file() else assets_build.ASSETS / files[name]).stat().st_size
    assert sum(weights.values()) < 200_000, weights


HOST = re.compile(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""", re.IGNORECASE)


def test_nothing_comes_from_another_host() -> None:
    breaches = []
    for path in [*OWN, *TEMPLATES]:
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        breaches += [f"{path.name}: {found.group()}" for found in HOST.finditer(text)]
    assert not breaches, breaches


INLINE = {
    "a style element": r"<style\b",
    "a style attribute": r"\sstyle\s*=",
    "a script in the page": r"<script\b(?![^>]*\bsrc=)",
    "an event handler": r"\son[a-z]+\s*=\s*[\"']",
    "hx-on": r"\bhx-on\b",
    "a computed value": r"\b(?:js|javascript):",
}


def _inline(text: str) -> list[str]:
    markup = re.sub(r"\{[{%].*?[%}]\}", "", text, flags=re.DOTALL)
    found = [what for what, pattern in INLINE.items() if re.search(pattern, markup, re.IGNORECASE)]
    return found + (["text taken as markup"] if re.search(r"\|\s*safe\b(?! if loop\.first)", text) else [])


def test_templates_hold_nothing_that_the_policy_would_stop() -> None:
    breaches = [f"{path.name}: {what}" for path in TEMPLATES for what in _inline(path.read_text(encoding="utf-8"))]
    assert not breaches, breaches


@pytest.mark.parametrize(
    "planted", ["<style>", '<p style="x">', "<script>f()</script>", '<a onclick="f()">', '<a hx-on:click="x">', "js:1", "{{ x | safe }}"]
)
def test_the_guard_against_inline_code_bites(planted: str) -> None:
    assert _inline(planted)


def test_every_form_that_changes_something_carries_its_token() -> None:
    breaches = []
    for path in TEMPLATES:
        for found in re.finditer(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
            if "hidden(" not in found.group():
                breaches.append(f"{path.name}: {found.group()[:90]}")
    assert not breaches, breaches


def test_the_lock_is_exact_and_names_no_address() -> None:
    asked = json.loads((WEB / "npm" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((WEB / "npm" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values()), asked
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert "resolved" not in (WEB / "npm" / "package-lock.json").read_text(encoding="utf-8")
    assert {place.split("/dist/")[0].split("/build/")[0].split("/files/")[0].split("/countries")[0] for place in assets_build.TAKEN.values()} <= set(
        asked
    )


def test_the_installation_brings_the_same_node() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert assets_build.NODE_WHEEL in project["build-system"]["requires"]


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A copy of what is built from, with the assets that are there."""
    for name in ("npm", "styles", "scripts", "assets"):
        shutil.copytree(WEB / name, tmp_path / name)
    shutil.copy(assets_build.__file__, tmp_path)
    return tmp_path


def run(workshop: Path) -> subprocess.CompletedProcess[str]:
    """The build without any installed package: no tonne, no Node."""
    return subprocess.run([sys.executable, "-I", "-S", workshop / "assets_build.py"], capture_output=True, text=True, check=False)


def test_a_changed_style_is_built_without_npm(workshop: Path) -> None:
    assert run(workshop).returncode == 0
    before = json.loads((workshop / "assets" / "manifest.json").read_text(encoding="utf-8"))
    assert run(workshop).stdout.startswith("The assets are up to date")
    with (workshop / "styles" / "tonne.css").open("a", encoding="utf-8") as style:
        style.write('.planted { background: url("inter-latin.woff2"); }\n')
    done = run(workshop)
    assert done.returncode == 0, done.stderr
    after = json.loads((workshop / "assets" / "manifest.json").read_text(encoding="utf-8"))
    assert {name for name in before if before[name] != after[name]} == {"tonne.css"}
    assert not (workshop / "assets" / before["tonne.css"]).exists()
    assert f'.planted {{ background: url("{after["inter-latin.woff2"]}"); }}' in (workshop / "assets" / after["tonne.css"]).read_text(
        encoding="utf-8"
    )


def test_a_style_that_names_nothing_is_refused(workshop: Path) -> None:
    (workshop / "styles" / "tonne.css").write_text('a { background: url("gone.png"); }\n', encoding="utf-8")
    done = run(workshop)
    assert done.returncode == 1
    assert done.stderr == "styles/tonne.css names url(gone.png), and there is no such asset.\n"


def test_without_node_the_build_says_what_to_do(workshop: Path) -> None:
    (workshop / "npm" / "package.json").write_text("{}\n", encoding="utf-8")
    done = run(workshop)
    assert done.returncode == 1
    assert done.stderr.startswith("Building the browser's files needs Node.") and assets_build.NODE_WHEEL in done.stderr
    assert "Traceback" not in done.stderr


class Seen(HTMLParser):
    """Counts what a page holds: tags, ids, labels and what they are for, attributes that are not allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self.named: dict[str, str] = {}
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "label":
            self.labelled.add(given.get("for", ""))
        if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "radio"):
            self.named[given.get("id", "")] = tag
        self.wrong += [f"{tag} {name}" for name in given if name == "style" or name.startswith(("on", "hx-on"))]


@pytest.mark.parametrize("language", list(words.LANGUAGES))
def test_the_shared_parts_are_drawn_in_every_language(language: str) -> None:
    text = rendered(language, "dark")
    seen = Seen()
    seen.feed(text)
    assert seen.tags["h1"] == 1 and seen.tags["main"] == 1 and seen.tags["footer"] == 1
    assert f'<html lang="{language}"' in text and 'data-bs-theme="dark"' in text
    assert [name for name, times in seen.ids.items() if times > 1] == []
    assert set(seen.named) <= seen.labelled, "every field has its label"
    assert seen.wrong == []
    assert f'name="_csrf" value="{"t" * 20}"' in text and f'name="_key" value="{"k" * 24}"' in text
    assert 'title="Not published before 2026-10-01"' in text, "a missing figure says why"
    assert text.count(f"1{render.THIN}204{render.THIN}331") == 2


@pytest.mark.parametrize(
    ("status", "said"), [(404, "There is no such page"), (403, "not open to you"), (429, "Try again in 30 seconds"), (503, "Not available")]
)
def test_error_pages_say_what_to_do(status: int, said: str) -> None:
    text = rendered("en", "light", "error.html", status=status, retry_after=30, ideas=[("/x", "Cementownia Górna")])
    assert said in text and "R-7F3K-2291" in text and "What you can do" in text


def test_text_from_outside_is_never_markup() -> None:
    planted = '<b id="planted">"\'x</b>'
    text = rendered("en", "light", "error.html", status=404, problem=planted, reference=planted, ideas=[("/x", planted)])
    assert 'id="planted"' not in text and text.count("&lt;b id=&#34;planted&#34;&gt;") == 3
