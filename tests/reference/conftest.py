"""The packs that the reference parties are tried with."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import pack_named
from reference_bench import pki, sit, sit_alone

from harness.pack.load import load_pack
from harness.pack.model import Pack

__all__ = ["pki", "sit", "sit_alone"]

NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"


@pytest.fixture(scope="session")
def neighbours() -> Pack:
    return load_pack(NEIGHBOURS)


@pytest.fixture(scope="session")
def etir() -> Pack:
    return pack_named("etir-4.3")
