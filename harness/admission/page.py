"""The public page of a register: one static page and a badge for each certificate, to be put on any web server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jinja2

from harness.admission.model import Status
from harness.admission.store import Register
from harness.evidence.clock import stamp
from harness.pack.data import data_folder
from harness.report.plain import moment

SYMBOLS: Mapping[Status, str] = {"valid": "✓", "suspended": "‖", "revoked": "✕", "expired": "○"}
"""A sign for each status, so that colour is never the only one."""
COLOURS: Mapping[Status, str] = {"valid": "#1a6b3c", "suspended": "#8a5300", "revoked": "#a11d1d", "expired": "#555555"}


def make_pages(register: Register, operator: str, at: datetime) -> dict[str, bytes]:
    """The files of the public page: name to content.

    Parameters:
        register: to be read.
        operator: who stands behind it.
        at: now.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_folder("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    entries: list[dict[str, Any]] = []
    pages: dict[str, str] = {}
    badge = environment.get_template("badge.svg.j2")
    for certificate in register.certificates():
        status, last = register.status(certificate, at)
        entries.append({"certificate": certificate, "status": status, "last": last, "symbol": SYMBOLS[status]})
        text = f"{certificate.word}: {status} {SYMBOLS[status]}"
        pages[f"badges/{certificate.id}.svg"] = badge.render(text=text, colour=COLOURS[status], issued=stamp(at))
    page = environment.get_template("register.html.j2")
    pages["index.html"] = page.render(operator=operator, issued=stamp(at), entries=entries)
    return {name: text.encode() for name, text in pages.items()}
