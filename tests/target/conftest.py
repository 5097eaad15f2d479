"""A target that works, in a folder, with test keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from target_bench import Bench

from harness.pack.load import load_pack
from harness.pack.model import Pack


@pytest.fixture(scope="session")
def neighbours() -> Pack:
    return load_pack(Path(__file__).parent.parent / "packs" / "neighbours")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
