"""Opening the key that signs statements, wherever it is kept."""

from __future__ import annotations

from pathlib import Path

from harness.security.statement_key import Signer, load_signing_key
from harness.security.token import SCHEME, open_token_key


def open_signer(name: str | Path, password: bytes | None = None) -> Signer:
    """Open a key.

    Parameters:
        name: a file (PEM or PKCS#12), or the PKCS#11 URI of a key in a token.
        password: of an encrypted file; PIN of the token.

    Raises:
        ConfigurationFault: it cannot be opened or used.
    """
    if str(name).startswith(SCHEME):
        return open_token_key(str(name), password)
    return load_signing_key(Path(name), password)
