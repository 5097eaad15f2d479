"""The page and the JSON of a sandbox: what the party has on record, and what passed it. For this computer only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from harness.pack.data import data_folder
from harness.pack.model import Pack
from harness.reference.answers import Reply
from harness.reference.reading import Incoming
from harness.reference.state import Book
from harness.reference.store import Store

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Under which names the page may be asked for: another name is that of a stranger's page in the same browser."""
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Page:
    """Answers what a person asks.

    Parameters:
        pack, role: who plays.
        book, store: what it knows, and what was noted.
        url: where the party listens.
        switched: ids of the faults and variations that are switched on.
    """

    pack: Pack
    role: str
    book: Book
    store: Store
    url: str
    switched: tuple[str, ...] = field(default=())

    async def answer(self, incoming: Incoming) -> Reply:
        """Answer one request of a browser or a script."""
        host = re.sub(r":\d+$", "", incoming.headers.get("host", ""))
        if incoming.method != "GET" or host not in HOSTS:
            return _text(403, "This page is for this computer only.\n")
        path = incoming.target.partition("?")[0]
        if path == "/":
            return Reply(200, {**_SAFE, "Content-Type": "text/html; charset=utf-8"}, self._html())
        tables: dict[str, Callable[[], object]] = {
            "objects": self._objects,
            "messages": self.store.messages,
            "faults": self.store.faults,
        }
        found = re.fullmatch(r"/api/([a-z]+)(?:/(\d{1,12}))?", path)
        if found and found[2] is None and found[1] in tables:
            body = json.dumps(tables[found[1]](), ensure_ascii=False, indent=1).encode()
            return Reply(200, {**_SAFE, "Content-Type": "application/json"}, body)
        data = self.store.body(int(found[2])) if found and found[1] == "messages" and found[2] else None
        if data is None:
            return _text(404, "There is nothing here.\n")
        return Reply(200, {**_SAFE, "Content-Type": "text/plain; charset=utf-8"}, data)

    def _objects(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in self.pack.objects}
        for (name, key), entry in self.book.entries.items():
            found[name].append({"key": list(key), "state": entry.state})
        return found

    def _html(self) -> bytes:
        facts: Mapping[str, Any] = {
            "role": self.role,
            "title": self.pack.roles[self.role].title,
            "pack": self.pack.title,
            "url": self.url,
            "switched": self.switched,
            "objects": self._objects(),
            "keys": {name: each.key for name, each in self.pack.objects.items()},
            "messages": self.store.messages(),
            "faults": self.store.faults(),
        }
        return _template().render(facts).encode()


@cache
def _template() -> Template:
    folder = FileSystemLoader(data_folder("reports") / "templates")
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("sandbox.html.j2")


def _text(status: int, text: str) -> Reply:
    return Reply(status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
