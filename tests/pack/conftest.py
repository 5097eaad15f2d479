"""A copy of the small pack that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NEIGHBOURS, tmp_path / "neighbours"))
