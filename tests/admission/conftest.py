from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.host import WINDOWS


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of our own, on a socket in a folder; yields its URL without a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if initdb is None or WINDOWS:
        assert os.environ.get("C2C_REQUIRE_TOOLS") != "1", "PostgreSQL is not installed"
        pytest.skip("PostgreSQL (Debian package postgresql) is not installed")
    pytest.importorskip("psycopg")
    programs, folder = Path(initdb).parent, Path(tempfile.mkdtemp(prefix="c2c-pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(name: str, *arguments: str) -> None:
        command = [programs / name, "-D", folder / "data", *arguments]
        subprocess.run(command, check=True, timeout=300, capture_output=True, user=user, cwd=folder)

    try:
        run("initdb", "--username=test", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://test@/{{}}?host={folder}"
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
