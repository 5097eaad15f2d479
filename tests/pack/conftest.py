"""The small pack: loaded once for those who only look, and a copy that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.pack.load import load_pack
from harness.pack.model import Pack

NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack(NEIGHBOURS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NEIGHBOURS, tmp_path / "neighbours"))
