"""A statement key that never leaves its token: smart card, USB token or HSM, by PKCS#11.

The key is named by its PKCS#11 URI (RFC 7512), such as
``pkcs11:token=office;object=statement?module-path=/usr/lib/softhsm/libsofthsm2.so``. The PIN never stands in it: where
it is read, other users of the computer could see it. The package ``python-pkcs11`` is needed (``c2c-harness[pkcs11]``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from harness.errors import ConfigurationFault, Where
from harness.security.statement_key import HASHES, PublicKey, accepted

if TYPE_CHECKING:
    import pkcs11

SCHEME = "pkcs11:"
_EXAMPLE = f"{SCHEME}token=NAME;object=NAME?module-path=/path/of/the/module.so"
_SECRETS = ("pin-value", "pin-source")


@dataclass(frozen=True)
class TokenKey:
    """A key in a token; each signature opens a session of its own.

    Parameters:
        uri: which key.
        public: its public half.
        pin: of the token; never printed.
    """

    uri: str
    public: PublicKey
    pin: bytes | None = field(default=None, repr=False)
    demo: bool = False

    def sign(self, data: bytes) -> bytes:
        """Sign *data* inside the token, with the scheme of this key.

        Raises:
            ConfigurationFault: the token is gone, or refuses.
        """
        with _session(self.uri, self.pin) as (session, label):
            private = cast("Any", _one(session, "PRIVATE_KEY", label, self.uri))
            return _sign(private, self.public, data)


def open_token_key(uri: str, pin: bytes | None) -> TokenKey:
    """Find a key in its token.

    Parameters:
        uri: PKCS#11 URI with ``token``, ``object`` and ``module-path``.
        pin: of the token.

    Raises:
        ConfigurationFault: module, token or key is not there, the PIN is wrong, or the key cannot sign statements.
    """
    with _session(uri, pin) as (session, label):
        _one(session, "PRIVATE_KEY", label, uri)
        public = _public(_one(session, "PUBLIC_KEY", label, uri))
    try:
        return TokenKey(uri, accepted(public), pin)
    except ValueError as problem:
        raise _fault(uri, f"the key in the token cannot be used: {problem}") from None


def read_uri(uri: str) -> Mapping[str, str]:
    """The attributes of a PKCS#11 URI.

    Raises:
        ConfigurationFault: it is none, names no key, or holds a PIN.
    """
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    parts = [part.partition("=") for part in (*path.split(";"), *query.split("&")) if part]
    found = {name: unquote(value) for name, _, value in parts}
    for name in _SECRETS:
        if name in found:
            raise ConfigurationFault(
                f"a PIN does not belong into the name of a key ({name})",
                expected=_EXAMPLE,
                remedy="Put the PIN into a file that only you can read, and give it as the password.",
            )
    missing = [name for name in ("token", "object", "module-path") if not found.get(name)]
    if missing:
        raise ConfigurationFault(f"the name of the key lacks {', '.join(missing)}: {uri[:200]}", expected=_EXAMPLE)
    return found


@contextmanager
def _session(uri: str, pin: bytes | None) -> Iterator[tuple[pkcs11.Session, str]]:
    named = read_uri(uri)
    try:
        import pkcs11
    except ImportError:
        raise ConfigurationFault(
            "keys in tokens need a package that is not installed", remedy="Run: pip install 'c2c-harness[pkcs11]'"
        ) from None
    try:
        token = pkcs11.lib(named["module-path"]).get_token(token_label=named["token"])
        with token.open(user_pin=None if pin is None else pin.decode()) as session:
            yield session, named["object"]
    except pkcs11.PKCS11Error as problem:
        raise _fault(uri, _in_words(problem)) from None


def _in_words(problem: Exception) -> str:
    name = type(problem).__name__
    words = {
        "NoSuchToken": "there is no such token",
        "PinIncorrect": "the PIN is wrong; too many wrong PINs lock the token",
        "PinLocked": "the token is locked, after too many wrong PINs",
        "UserNotLoggedIn": "the token wants its PIN",
        "PKCS11Error": f"the module cannot be loaded: {problem}",
    }
    return words.get(name) or f"the token refused: {name} {problem}".rstrip()


def _one(session: pkcs11.Session, kind: str, label: str, uri: str) -> pkcs11.Object:
    import pkcs11

    query = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass[kind], pkcs11.Attribute.LABEL: label}
    found = list(session.get_objects(query))
    if len(found) != 1:
        word = kind.replace("_", " ").lower()
        raise _fault(uri, f"the token has {len(found) or 'no'} {word}{'s' if len(found) > 1 else ''} of this name")
    return found[0]


def _public(key: pkcs11.Object) -> object:
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key
    from pkcs11.util.rsa import encode_rsa_public_key

    kind = key[pkcs11.Attribute.KEY_TYPE]
    if kind == pkcs11.KeyType.RSA:
        return load_der_public_key(encode_rsa_public_key(cast("Any", key)))
    if kind == pkcs11.KeyType.EC:
        return load_der_public_key(encode_ec_public_key(cast("Any", key)))
    if kind == pkcs11.KeyType.EC_EDWARDS:
        return ed25519.Ed25519PublicKey.from_public_bytes(bytes(key[pkcs11.Attribute.EC_POINT])[-32:])
    return None


def _sign(private: Any, public: PublicKey, data: bytes) -> bytes:
    import pkcs11
    from pkcs11.util.ec import encode_ecdsa_signature

    if isinstance(public, ed25519.Ed25519PublicKey):
        return bytes(private.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
    if isinstance(public, rsa.RSAPublicKey):
        pss = (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, 32)
        return bytes(private.sign(data, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss))
    assert isinstance(public, ec.EllipticCurvePublicKey)  # noqa: S101 - no other kind is accepted
    digest = hashes.Hash(HASHES[public.curve.name])
    digest.update(data)
    return bytes(encode_ecdsa_signature(private.sign(digest.finalize(), mechanism=pkcs11.Mechanism.ECDSA)))


def _fault(uri: str, what: str) -> ConfigurationFault:
    return ConfigurationFault(what, where=Where(uri), expected=_EXAMPLE, remedy="Look with: pkcs11-tool --list-objects")
