"""The bytes of everything that was sent and received, by their digest.

Names of files are plain texts here. :mod:`pathlib` interns every part of a path, and Python 3.12 never forgets what was
interned: a long run would grow with each message.
"""

# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH118, PTH120, PTH123

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from harness.errors import BundleFault, Where

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def digest_of(data: bytes) -> str:
    """The digest under which *data* is kept, ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Store:
    """A folder of files named after what is in them: ``sha256/ab/<hex>``.

    Parameters:
        folder: where the store is; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep *data* and return its digest. A file is never seen half written; the same bytes are kept once."""
        digest = digest_of(data)
        path = self._path(digest)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            part = f"{path}.{secrets.token_hex(4)}.part"
            try:
                with open(part, "xb") as file:
                    file.write(data)
                os.replace(part, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(part)
                raise
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that digest.

        Raises:
            BundleFault: it is no digest, nothing is kept under it, or the bytes have been changed.
        """
        path = self._path(digest)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise BundleFault(
                f"evidence cannot be read: {error.strerror}",
                where=Where(path),
                remedy="Take the bundle from its source again.",
            ) from error
        if digest_of(data) != digest:
            raise BundleFault(
                "evidence was changed: the bytes do not have the digest they are named after",
                where=Where(path),
                expected=digest,
                remedy="Take the bundle from its source again.",
            )
        return data

    def _path(self, digest: str) -> str:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise BundleFault(f"{digest!r:.100} is not a digest", where=Where(self._folder), expected="sha256:<64 hex>")
        name = match[1]
        return os.path.join(self._folder, "sha256", name[:2], name)
