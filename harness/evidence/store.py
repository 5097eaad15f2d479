"""The bytes of everything that was sent and received, by their digest."""

from __future__ import annotations

import hashlib
import re
import secrets
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
        self._shards = [folder / "sha256" / f"{number:02x}" for number in range(256)]

    def put(self, data: bytes) -> str:
        """Keep *data* and return its digest. A file is never seen half written; the same bytes are kept once."""
        digest = digest_of(data)
        path = self._path(digest)
        if not path.exists():
            part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
            try:
                _write(part, data)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that digest.

        Raises:
            BundleFault: it is no digest, nothing is kept under it, or the bytes have been changed.
        """
        path = self._path(digest)
        try:
            data = path.read_bytes()
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

    def _path(self, digest: str) -> Path:
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise BundleFault(f"{digest!r:.100} is not a digest", where=Where(self._folder), expected="sha256:<64 hex>")
        name = match[1]
        return self._shards[int(name[:2], 16)] / name


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
