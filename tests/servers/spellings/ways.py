"""A request as it is spelled, and the ways to spell it otherwise, by what they change."""

import re
from dataclasses import dataclass, replace

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: tuple
    body: bytes

    def get(self, name):
        return next((value for own, value in self.headers if own.lower() == name), "")

    def having(self, name, value):
        """With one such header line; without any where the value is None."""
        others = tuple((own, text) for own, text in self.headers if own.lower() != name.lower())
        return replace(self, headers=others + (((name, value),) if value is not None else ()))

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def asking(self, query):
        # No target holds other letters; a body may.
        query = re.sub(r"[^!-~]", lambda letter: f"%{ord(letter[0]):02X}", query)
        return replace(self, target=f"{self.path}?{query}" if query else self.path)

    @property
    def is_form(self):
        return bool(self.body) and self.get("content-type").lower().startswith(FORM)

    def text(self):
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"{self.method} {self.target}\n{head}\n{self.body!r}"


WAYS = {}


def way(about):
    def keep(function):
        WAYS.setdefault(about, []).append(function)
        return function
    return keep
