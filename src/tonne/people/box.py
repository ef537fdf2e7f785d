"""What has to be read back and must not be readable in a stolen table: second factors, links in letters that wait. Fernet, keys from the settings."""

from __future__ import annotations

from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tonne.people.errors import PeopleUnavailable


class Box:
    """Seals with the first key, opens with any: a key is rotated by putting a new one in front."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, owner: str, text: str, now: datetime) -> bytes:
        """owner: the id of the row. It is sealed in too, so that a row's box does not open in another row."""
        return self._fernet.encrypt_at_time(f"{owner}\n{text}".encode(), int(now.timestamp()))

    def renewed(self, sealed: bytes) -> bytes | None:
        """The same under the first key; None where it is so already, or where no key fits: then it stays as it is."""
        try:
            self._newest.decrypt(bytes(sealed))
        except InvalidToken:
            try:
                return self._fernet.rotate(bytes(sealed))
            except InvalidToken:
                return None
        return None

    def open_box(self, owner: str, sealed: bytes) -> str:
        """PeopleUnavailable where no key fits or the box belongs to another row: then the table was changed, or a key is missing."""
        try:
            whose, _, text = self._fernet.decrypt(bytes(sealed)).decode().partition("\n")
        except InvalidToken:
            whose, text = "", ""
        if whose != owner:
            raise PeopleUnavailable("a sealed value does not open: box_keys lack the key it was sealed with, or the row was changed")
        return text
