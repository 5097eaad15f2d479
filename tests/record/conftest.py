from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bundle"))

from small_run import Run, small_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run in both positions, of which some cases failed; not to be changed."""
    return small_run(
        tmp_path_factory.mktemp("run"), positions=("import", "export"), wrong={"arrival-of-unknown@export": "L03"}
    )
