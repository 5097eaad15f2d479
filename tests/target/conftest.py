"""A target that works, in a folder, with test keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import pack_named
from target_bench import Bench

from harness.pack.model import Pack


@pytest.fixture(scope="session")
def neighbours() -> Pack:
    return pack_named("neighbours")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
