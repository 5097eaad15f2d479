"""Which tool made a record: enough to know whether deriving it again must give the same bytes."""

from __future__ import annotations

import hashlib
import platform
import zlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lxml import etree

import harness
from harness.pack.data import data_folder

_DERIVE_WITH = (
    "cryptography", "fonttools", "fpdf2", "jinja2", "jsonschema", "lxml", "markupsafe", "pyyaml", "uharfbuzz",
)  # fmt: skip
"""Packages whose version can change a verdict or a report."""


def about_run(run: str) -> dict[str, str]:
    """What the evidence says of a run and of the program that plays it.

    Parameters:
        run: name of the run.
    """
    return {
        "run": run,
        "tool": f"c2c-harness {harness.__version__}",
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


@cache
def this_tool() -> dict[str, str]:
    """The tool that runs now.

    Returns:
        ``name``, ``version``, ``source`` (digest of its program and of what reports are made from) and ``lock`` (digest
        of the versions of the packages that verdicts and reports depend on, and of the libraries inside them, which one
        version of a package need not share on every platform).
    """
    versions = {name: _version(name) for name in _DERIVE_WITH}
    versions["Python"], versions["zlib"] = platform.python_version(), zlib.ZLIB_RUNTIME_VERSION
    versions["libxml2"] = ".".join(map(str, etree.LIBXML_VERSION))
    lock = "\n".join(f"{name}=={version}" for name, version in versions.items())
    return {
        "name": "c2c-harness",
        "version": harness.__version__,
        "source": f"sha256:{_source_digest()}",
        "lock": f"sha256:{hashlib.sha256(lock.encode()).hexdigest()}",
    }


def _source_digest() -> str:
    total = hashlib.sha256()
    package = Path(harness.__file__).parent
    reports = data_folder("reports")
    files = [(package, file) for pattern in ("*.py", "schemas/*.*") for file in package.rglob(pattern)]
    files += [(reports, file) for name in ("templates", "texts", "fonts") for file in (reports / name).glob("*")]
    for name, file in sorted((file.relative_to(root).as_posix(), file) for root, file in files):
        content = file.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
