"""The house rules, read from the source itself: who imports whom, where clocks, randomness, files and floats may be, how long things may get.

Each guard lists every breach with file and line. An exception stands in a table here with its reason; none is silent.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tonne"
FILES = sorted(SOURCE.rglob("*.py"))

#: Room -> what it may import of ours besides itself, units and dates. docs/architecture.md holds the same table; a test compares them.
ARROWS: dict[str, set[str]] = {
    "units": set(),
    "dates": set(),
    "people": set(),
    "law": set(),
    "rules": set(),
    "ledger": set(),
    "registers": set(),
    "market": set(),
    "clearing": {"market.contract", "ledger"},
    "administration": {"law", "rules", "ledger", "registers", "market", "clearing"},
    "store": {"administration"},
    "formats": {"registers", "ledger.views", "law", "market"},
    "reports": {"law", "ledger.views", "registers"},
    "simulation": {"administration", "law", "rules", "ledger.views", "ledger.statement", "registers", "market"},
}
#: The front door: `import tonne` and `python -m tonne` open interfaces.
FRONT_DOOR = {"__init__", "__main__"}

FILE_ROOMS = ("store/", "people/", "formats/", "interfaces/")
FILE_MODULES = {
    "law/catalogue.py": "finds rulebooks",
    "law/text.py": "reads a YAML file",
    "law/contracts.py": "finds venues and their contracts",
    "law/scenario.py": "finds scenarios",
    "administration/cases.py": "reads cases",
    "administration/venue_cases.py": "finds cases",
    "simulation/profile.py": "reads the shape of a synthetic population",
    "reports/page.py": "writes the page",
}
CLOCK_MODULES = {"store/postgres_log.py": "waits for another writer's lock for so many seconds; no day and no record comes of it"}
MODULES_BY_TEXT = {
    "ledger/__init__.py": "loads its own books, auditor, serials and statement when they are used, because Numba takes most of a second",
    "rules/__init__.py": "loads every module of its own room, so that their rules are declared",
}
LINES_OF_A_FUNCTION = 80
LINES_OF_A_FILE = 700


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Everything in a file: also what stands inside functions and under TYPE_CHECKING."""
    return ast.walk(tree(path))


def room_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def is_module(dotted: str) -> bool:
    base = SOURCE.parent.joinpath(*dotted.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every module (and `from` name that is a module) that a file imports."""
    package = ["tonne", *path.relative_to(SOURCE).parts[:-1]]
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for name in node.names:
                whole = f"{module}.{name.name}"
                yield node.lineno, whole if whole.startswith("tonne.") and is_module(whole) else module


def dotted_name(node: ast.AST) -> str:
    """`np.random.default_rng` of an attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted_name(node.value)
        return f"{base}.{node.attr}" if base else f".{node.attr}"
    return f".{node.attr}" if isinstance(node, ast.Attribute) else ""


def show(breaches: list[str]) -> str:
    return "\n" + "\n".join(breaches)


def test_who_imports_whom() -> None:
    breaches = []
    for path in FILES:
        room = room_of(path)
        for line, name in imports(path):
            if name.split(".")[0] != "tonne" or room == "interfaces":
                continue
            target = name.removeprefix("tonne").removeprefix(".")
            other = target.split(".")[0]
            if room in FRONT_DOOR:
                allowed = other in ("interfaces", "")
            else:
                allowed = other in (room, "units", "dates") or any(
                    target == arrow or target.startswith(f"{arrow}.") for arrow in ARROWS.get(room, ())
                )
            if not allowed:
                breaches.append(f"{place(path)}:{line}: {room} imports {name}")
    assert not breaches, show(breaches)


def test_every_room_has_its_arrows() -> None:
    rooms = {path.relative_to(SOURCE).with_suffix("").parts[0] for path in FILES} - FRONT_DOOR - {"interfaces"}
    assert rooms == set(ARROWS)


def test_the_arrows_are_those_of_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    written: dict[str, set[str]] = {}
    for rooms, arrows in re.findall(r"^    ([a-z]+/|units, dates) .*-> (.+)$", text, re.MULTILINE):
        told = re.sub(r"\(.*?\)", "", arrows).split(";")[0]
        for room in rooms.rstrip("/").split(", "):
            written[room] = {arrow.strip() for arrow in told.split(",")} - {"nothing", "units", "dates"}
    assert written.pop("interfaces") == {"everything"}
    assert written == ARROWS


def test_modules_are_not_imported_by_a_text() -> None:
    """A name made at run time would slip through the arrows."""
    found = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.Call) and dotted_name(node.func) in ("importlib.import_module", "import_module", "__import__")
    ]
    assert [item for item in found if item.split(":")[0] not in MODULES_BY_TEXT] == [], show(found)


def test_no_system_is_named_in_the_code() -> None:
    """A system is data. Neither its id, nor a spelling of it, nor the name of its unit stands in a program."""
    ids = sorted(path.parent.name for path in SOURCE.glob("rulebooks/*/system.yaml"))
    assert ids
    names = re.compile(r"(?<![A-Za-z])(" + "|".join("[-_ ]?".join(map(re.escape, name.split("-"))) for name in ids) + r")(?![A-Za-z])", re.IGNORECASE)
    breaches = [
        f"{place(path)}:{number}: {found.group()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := names.search(line))
    ]
    assert not breaches, show(breaches)


CLOCKS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|perf_counter|perf_counter_ns|monotonic|monotonic_ns|localtime))$"
)


def test_no_clock_outside_the_interfaces() -> None:
    names = {"time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "localtime", "gmtime"}
    breaches = []
    for path in FILES:
        if room_of(path) == "interfaces" or place(path) in CLOCK_MODULES:
            continue
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and CLOCKS.search(dotted_name(node)):
                breaches.append(f"{place(path)}:{node.lineno}: {dotted_name(node)}")
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                breaches += [f"{place(path)}:{node.lineno}: time.{name.name}" for name in node.names if name.name in names]
    assert not breaches, show(breaches)


RANDOM_MODULES = {"simulation/randomness.py": "what is simulated", "people/tokens.py": "what nobody may guess"}


def test_no_randomness_outside_its_places() -> None:
    modules = ("random", "secrets", "numpy.random", "uuid")
    breaches = []
    for path in FILES:
        if place(path) in RANDOM_MODULES or room_of(path) == "interfaces":
            continue
        breaches += [
            f"{place(path)}:{line}: import {name}" for line, name in imports(path) if name.startswith(modules) and name.split(".")[0] != "tonne"
        ]
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and dotted_name(node) in ("np.random", "numpy.random", "os.urandom"):
                breaches.append(f"{place(path)}:{node.lineno}: {dotted_name(node)}")
    assert not breaches, show(breaches)


FILE_CALLS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "glob", "rglob", "iterdir",
    "is_file", "is_dir", "exists", "resolve", "read_csv", "scan_csv", "read_parquet", "scan_parquet", "write_csv", "write_parquet", "urlopen",
}  # fmt: skip
FILE_MODULES_IMPORTED = {"socket", "http", "urllib", "requests", "httpx", "subprocess", "shutil", "tempfile", "sqlite3", "psycopg", "gzip", "zipfile"}


def test_files_and_networks_only_where_they_belong() -> None:
    breaches = []
    for path in FILES:
        if place(path).startswith(FILE_ROOMS) or place(path) in FILE_MODULES:
            continue
        breaches += [f"{place(path)}:{line}: import {name}" for line, name in imports(path) if name.split(".")[0] in FILE_MODULES_IMPORTED]
        for node in nodes(path):
            if isinstance(node, ast.Call):
                called = dotted_name(node.func) or (f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else "")
                if called == "open" or ("." in called and called.rsplit(".", 1)[1] in FILE_CALLS):
                    breaches.append(f"{place(path)}:{node.lineno}: {called}()")
    assert not breaches, show(breaches)


def test_no_exception_outlives_its_file() -> None:
    assert [name for name in (*FILE_MODULES, *CLOCK_MODULES, *MODULES_BY_TEXT) if not (SOURCE / name).is_file()] == []


def test_no_binary_float_where_units_or_money_are_owned() -> None:
    breaches = []
    for path in FILES:
        if room_of(path) not in ("ledger", "administration", "rules", "law", "units", "dates"):
            continue
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                breaches.append(f"{place(path)}:{node.lineno}: {node.value}")
            if isinstance(node, ast.Call):
                called = dotted_name(node.func)
                text = any(isinstance(a, ast.Constant) and str(a.value).startswith("float") for a in node.args)
                if called == "float" or (called.endswith((".astype", ".cast")) and (text or any(dotted_name(a) == "float" for a in node.args))):
                    breaches.append(f"{place(path)}:{node.lineno}: {called}()")
            if isinstance(node, ast.Attribute) and dotted_name(node) in ("np.float64", "np.float32", "pl.Float64", "pl.Float32"):
                breaches.append(f"{place(path)}:{node.lineno}: {dotted_name(node)}")
    assert not breaches, show(breaches)


def test_functions_and_files_stay_short() -> None:
    breaches = []
    for path in FILES:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > LINES_OF_A_FILE:
            breaches.append(f"{place(path)}: {count} lines; a file has at most {LINES_OF_A_FILE}")
        for node in nodes(path):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    breaches.append(f"{place(path)}:{node.lineno}: {node.name} has {length} lines; a function has at most {LINES_OF_A_FUNCTION}")
    assert not breaches, show(breaches)


def test_nothing_prints() -> None:
    found = [
        f"{place(p)}:{n.lineno}" for p in FILES for n in nodes(p) if isinstance(n, ast.Call) and dotted_name(n.func) in ("print", "pprint.pprint")
    ]
    assert not found, show(found)


def test_every_file_says_what_it_is() -> None:
    silent = [place(path) for path in FILES if not ast.get_docstring(tree(path)) and path.read_text(encoding="utf-8").strip()]
    assert not silent, show(silent)


def test_the_public_names_are_those_of_the_documents() -> None:
    import tonne

    text = "\n".join(path.read_text(encoding="utf-8") for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))])
    assert tonne.__all__ == sorted(tonne.__all__)
    assert all(callable(getattr(tonne, name)) for name in tonne.__all__)
    untold = [name for name in tonne.__all__ if not re.search(rf"\btonne\.{name}\b", text)]
    assert not untold, f"no document speaks of {', '.join(f'tonne.{name}' for name in untold)}"
    unknown = set(re.findall(r"\btonne\.([a-z_]+)\(", text)) - set(tonne.__all__)
    assert not unknown, f"the documents call what is not there: {sorted(unknown)}"


ADDRESS = re.compile(r"https?://\S+")  # a public page may lie under /home/
MACHINE = re.compile(r"/(?:work|home|root|Users)/[A-Za-z.]|[A-Z]:\\\\?Users")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so no list of tracked files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_path_of_a_machine_is_kept() -> None:
    breaches = []
    for path in tracked():
        if not path.is_file() or path == Path(__file__).resolve():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        breaches += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()[:100]}" for n, line in enumerate(lines, 1) if MACHINE.search(ADDRESS.sub("", line))
        ]
    assert not breaches, show(breaches)


@pytest.mark.parametrize(
    ("code", "guard"),
    [
        ("def f():\n    from tonne.interfaces import api\n", test_who_imports_whom),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tonne.store import log\n", test_who_imports_whom),
        ("from tonne import ledger\n", test_who_imports_whom),
        ("from ..ledger import books\n", test_who_imports_whom),
        ("import datetime\nnow = datetime.datetime.now()\n", test_no_clock_outside_the_interfaces),
        ("from time import perf_counter\n", test_no_clock_outside_the_interfaces),
        ("import numpy as np\nx = np.random.default_rng(1)\n", test_no_randomness_outside_its_places),
        ("import random\n", test_no_randomness_outside_its_places),
        ("from pathlib import Path\nx = Path('a').read_text()\n", test_files_and_networks_only_where_they_belong),
        ("import socket\n", test_files_and_networks_only_where_they_belong),
        ("x = open('a')\n", test_files_and_networks_only_where_they_belong),
        ("x = 0.24\n", test_no_binary_float_where_units_or_money_are_owned),
        ("x = float('1')\n", test_no_binary_float_where_units_or_money_are_owned),
        ("x = y.astype('float64')\n", test_no_binary_float_where_units_or_money_are_owned),
        ("SYSTEM = 'eu-ets'\n", test_no_system_is_named_in_the_code),
        ("def eu_ets_cap(): ...\n", test_no_system_is_named_in_the_code),
        ("print('x')\n", test_nothing_prints),
        ("def f():\n" + "    x = 1\n" * 81, test_functions_and_files_stay_short),
        ("x = 1\n" * 701, test_functions_and_files_stay_short),
        ("x = __import__('tonne.ledger')\n", test_modules_are_not_imported_by_a_text),
    ],
)
def test_the_guards_bite(code: str, guard: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A guard that finds nothing may be asleep: each is shown a planted breach in the rules room."""
    planted = tmp_path / "tonne"
    (planted / "rules").mkdir(parents=True)
    for room in ("ledger", "interfaces", "store"):
        (planted / room).mkdir()
        (planted / room / "__init__.py").touch()
    (planted / "rulebooks" / "eu-ets").mkdir(parents=True)
    (planted / "rulebooks" / "eu-ets" / "system.yaml").touch()
    path = planted / "rules" / "planted.py"
    path.write_text(code, encoding="utf-8")
    monkeypatch.setitem(globals(), "SOURCE", planted)
    monkeypatch.setitem(globals(), "FILES", [path])
    with pytest.raises(AssertionError, match=r"rules/planted\.py|x = __import__"):
        guard()  # type: ignore[operator]
