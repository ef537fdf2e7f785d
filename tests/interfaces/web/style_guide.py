"""The style guide with made-up figures: every shared part once, as the pages call them. `rendered("en", "light")` is the page's HTML."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from tonne.interfaces.web import render, words
from tonne.interfaces.web.charts import Chart
from tonne.interfaces.web.forms import Field
from tonne.interfaces.web.tables import Column, Filter, Table

HERE = Path(__file__).parent
NOW = datetime(2026, 9, 18, 9, 12, tzinfo=UTC)


def rendered(language: str, theme: str, template: str = "style_guide.html", **more: Any) -> str:
    return str(environment(language).get_template(template).render(context(language, theme) | more))


@cache
def environment(language: str) -> Environment:
    """Our own copy of the server's: the tests' folder must not stay in that one."""
    made: Environment = render.environment.__wrapped__(language)
    made.loader = ChoiceLoader([made.loader, FileSystemLoader(HERE)])  # type: ignore[list-item]
    return made


def context(language: str, theme: str) -> dict[str, Any]:
    """What Ask.page gives to every page, and the parts that the guide shows."""
    chinese = language != "en"
    return {
        "visitor": SimpleNamespace(
            signed_in=True,
            name="Ana Costa",
            role="operator",
            system="sample",
            participant="Cementownia Górna",
            memberships=(
                SimpleNamespace(id="m1", system="sample", participant="Cementownia Górna"),
                SimpleNamespace(id="m2", system="sample", participant="Kraftwerk Lindenau"),
            ),
        ),
        "path": "/sample/home",
        "url": lambda path, **query: render.address(f"/{language}", path, **query),
        "theme": theme,
        "languages": [(code, own, f"/{code}/sample/home") for code, (own, _) in words.LANGUAGES.items()],
        "system": SimpleNamespace(id="sample", name="Sample market", unit="unit", measure="tCO2e", currency="EUR"),
        "nav": navigation(chinese)[:6],
        "nav_more": navigation(chinese)[6:],
        "nav_more_title": "公开登记簿" if chinese else "Public register",
        "now": NOW,
        "demo": True,
        "csrf": "t" * 20,
        "key": "k" * 24,
        "session_ends": NOW + timedelta(days=3650),
        "reference": "R-7F3K-2291",
        "zhs": chinese,
        "when": date(2026, 9, 30),
        "t": table(),
        "t_empty": Table(
            "moved",
            "Transfers",
            [Column("a", "A")],
            [],
            0,
            1,
            1,
            50,
            "",
            [],
            [],
            None,
            None,
            "No units have moved yet. They are shown three years later.",
        ),
        "f": form(),
        "c": chart(chinese),
        "refusal": SimpleNamespace(
            title="Not transferred",
            text="Account A-100-5 holds 12 000 t, of which 4 000 t are reserved for a transfer on 2026-11-26. Available: 8 000 t.",
            remedy="Lower the quantity or cancel that transfer.",
            code="insufficient_balance",
        ),
    }


def navigation(chinese: bool) -> list[tuple[str, str, str, bool]]:
    words_of = {
        "home": ("Home", "首页", "home"),
        "tasks": ("Tasks", "待办", "checklist"),
        "obligation": ("Obligation", "履约义务", "scale"),
        "accounts": ("Accounts", "账户", "wallet"),
        "reports": ("Reports", "排放报告", "report"),
        "trade": ("Trade", "交易", "chart-candle"),
        "law": ("Law", "法规", "book"),
        "calendar": ("Calendar", "日历", "calendar"),
        "participants": ("Participants", "参与者", "users"),
        "compliance": ("Compliance", "履约情况", "circle-check"),
    }
    return [(f"/sample/{path}", told[chinese], told[2], path == "home") for path, told in words_of.items()]


def table() -> Table:
    names = [
        "Kraftwerk Lindenau",
        "Aciérie de Fosanne",
        "Cementownia Górna",
        "华东第一水泥有限公司",
        "Rafinería Costa Sur",
        "Papierfabriek IJsselmond",
    ]
    states = ["complied", "complied", "short", "complied", "no_obligation", "late"]
    rows = [
        {
            "holder": name,
            "permit": f"DE-{204 + i * 7}",
            "verified": 1_204_331 - i * 183_421,
            "surrendered": None if i == 4 else 1_201_211 - i * 183_421,
            "cost": 123_456_789 * (i + 1),
            "day": date(2026, 9, 28 - i),
            "state": state,
            "why": {"surrendered": "Not published before 2026-10-01"},
            "href": f"/sample/participants/{i}",
        }
        for i, (name, state) in enumerate(zip(names, states, strict=True))
    ]
    columns = [
        Column("holder", "Holder", sorted="ascending"),
        Column("permit", "Permit"),
        Column("verified", "Verified", "quantity", "tCO2e"),
        Column("surrendered", "Surrendered", "quantity", "units"),
        Column("cost", "Cost today", "money", "EUR"),
        Column("day", "Surrendered on", "day"),
        Column("state", "State", "state"),
    ]
    for column in columns:
        column.sort_href = f"?sort={column.name}"
    filters = [
        Filter("name", "Name", column="holder"),
        Filter("state", "State", "choice", [("late", "late"), ("short", "short")], value="short"),
        Filter("since", "From day", "from", column="day"),
    ]
    downloads = [(name, f"/sample/compliance/2025.{name.lower()}") for name in ("CSV", "JSON", "Parquet")]
    return Table(
        "compliance", "Compliance 2025", columns, rows, 2_316, 2, 47, 50, "2026-09-18 09:12 UTC", filters, downloads, "?page=1", "?page=3", "",
        {"verified": 4_474_671}, 51, 100, "/sample/compliance/2025", [("sort", "holder")],
    )  # fmt: skip


def form() -> SimpleNamespace:
    fields = [
        Field(
            "to",
            "To",
            "choice",
            "1",
            "Accounts on your trusted list come first.",
            choices=[("1", "A-100-9 · Aciérie de Fosanne (trusted)"), ("2", "A-100-12")],
        ),
        Field("quantity", "Quantity", "number", "12 000", unit="units", error="The account has 8 000 available."),
        Field("price", "Price", "price", required=False, unit="EUR/t"),
        Field("day", "Not before", "date", required=False),
        Field("note", "Reason", "textarea", hint="Both sides and the administrator see it.", error="This is needed."),
        Field("file", "Contract", "file", required=False, accept=".pdf"),
        Field("public", "Show the beneficiary's name in public", "checkbox", required=False),
        Field("secret", "Password", "password", autocomplete="current-password"),
        Field("code", "Code of your app", "code", hint="6 digits. It is bound to exactly this transfer."),
        Field("origin", kind="hidden", value="home"),
    ]
    errors = [(field.name, f"{field.label}: {field.error}") for field in fields if field.error]
    return SimpleNamespace(action="/sample/transfers", verb="Review", danger=False, key="", fields=fields, errors=errors)


def chart(chinese: bool) -> Chart:
    return Chart(
        "cap",
        "2024年核证排放量首次低于总量上限" if chinese else "Verified emissions fell below the cap in 2024",
        "百万吨" if chinese else "million tCO2e",
        "Line chart: cap and verified emissions from 2018 to 2025; emissions cross below the cap in 2024.",
        "Log entries 1 to 48 112, 2026-09-18",
        "/chart.svg",
        "/chart.svg?theme=dark",
        "/chart.json",
        "/chart.csv",
        "/sample/compliance/2025",
        [],
        [],
    )
