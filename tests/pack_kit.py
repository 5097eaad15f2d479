"""Packs that tests only look at: each is read once in a process, and so is what follows from it, such as its cases."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.pack.load import load_pack
from harness.pack.model import Pack

OWN = Path(__file__).parent / "packs"


@cache
def pack_named(name: str) -> Pack:
    """A pack that comes with the harness, or one of the small packs of the tests."""
    own = OWN / name
    return load_pack(own if own.is_dir() else name)
