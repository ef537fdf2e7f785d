"""Forms: what was typed is kept, and what is wrong stands beside its field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

WHOLE = re.compile(r"[0-9]{1,18}")
TEXT_MOST = 2_000


@dataclass
class Field:
    """kind: text, number (a whole number), price, choice, file, date, textarea, password, code, hidden, checkbox, email."""

    name: str
    label: str = ""
    kind: str = "text"
    value: Any = ""
    hint: str = ""
    required: bool = True
    choices: Sequence[tuple[str, str]] = ()
    autocomplete: str = ""
    unit: str = ""
    least: int = 1
    most: int = 10**17
    error: str = ""
    rows: int = 4
    accept: str = ""
    inputmode: str = ""


class Form:
    """Fields with what was sent. `values` after `check()`; `errors` name fields. Spaces inside whole numbers are read over, nothing else is."""

    def __init__(self, ask: Any, fields: list[Field], *, action: str = "", verb: str = "", danger: bool = False, **values: Any) -> None:
        self.ask, self.fields, self.action = ask, fields, action
        self.verb, self.danger = verb, danger
        self.values: dict[str, Any] = {}
        self.key = str(ask.form.get("_key", "")) or ""
        for field in fields:
            if field.name in values:
                field.value = values[field.name]
            sent = ask.form.get(field.name)
            if sent is not None and field.kind not in ("password", "code", "file"):
                field.value = sent
            elif ask.form and field.kind == "checkbox":
                field.value = ""

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    @property
    def errors(self) -> list[tuple[str, str]]:
        return [(field.name, field.error) for field in self.fields if field.error]

    def fault(self, name: str, text: str) -> None:
        self[name].error = text

    def check(self) -> bool:
        """Reads every field; True when nothing is wrong."""
        for field in self.fields:
            sent = self.ask.files.get(field.name) if field.kind == "file" else self.ask.form.get(field.name, "")
            try:
                self.values[field.name] = self._read(field, sent)
            except ValueError as error:
                field.error = str(error)
        return not self.errors

    def _read(self, field: Field, sent: Any) -> Any:
        _ = self.ask._
        if isinstance(sent, list):
            raise ValueError(_("Something in this cannot be read"))  # a field of a form stands in it once
        if field.kind == "checkbox":
            if field.required and not sent:
                raise ValueError(_("Tick this to go on."))
            return bool(sent)
        if field.kind == "file":
            if sent is None and field.required:
                raise ValueError(_("Choose a file."))
            return sent
        text = sent if field.kind == "password" else str(sent).strip()
        if not text:
            if field.required:
                raise ValueError(_("This is needed."))
            return None if field.kind in ("number", "price", "date") else ""
        if len(text) > TEXT_MOST and field.kind != "textarea":
            raise ValueError(_("This is too long."))
        if "\0" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
            raise ValueError(_("This holds characters that cannot be stored."))
        if field.kind == "number":
            return self._whole(field, text)
        if field.kind == "price":
            return self._price(text)
        if field.kind == "date":
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise ValueError(_("Write the day as 2026-09-30.")) from None
        if field.kind == "choice" and text not in {value for value, _label in field.choices}:
            raise ValueError(_("Choose one of the list."))
        return text

    def _whole(self, field: Field, text: str) -> int:
        joined = text.replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
        if not WHOLE.fullmatch(joined):
            raise ValueError(self.ask.say("Whole numbers only, without comma or point: %(text)s is none.", text=repr(text[:40])))
        number = int(joined)
        if not field.least <= number <= field.most:
            from tonne.interfaces.web.render import quantity

            raise ValueError(self.ask.say("This lies between %(least)s and %(most)s.", least=quantity(field.least), most=quantity(field.most)))
        return number

    def _price(self, text: str) -> str:
        try:
            if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,8})?", text) or not Decimal(text) > 0:
                raise InvalidOperation
        except InvalidOperation:
            raise ValueError(self.ask._("A price is written like 83.60, above zero.")) from None
        return text
