"""Identities that are wrong in exactly one way, for the defects that need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from harness.security.issue import Draft, make_certificate, new_key
from harness.security.model import Identity, PrivateKey
from harness.security.pki import TestPki

Spares = Mapping[str, Identity]
"""Identities by what is wrong with them, as in ``certificate/<name>``."""


def make_spares(pki: TestPki, identity: Identity) -> Spares:
    """Twins of an identity: same subject and kind of key, each wrong in one way.

    The revoked one has a number that is on the list of the PKI already.

    Parameters:
        pki: the infrastructure that issued *identity*.
        identity: who the twins pretend to be.
    """
    return {name: make(pki, identity) for name, make in _MAKERS.items()}


def _good(pki: TestPki, identity: Identity) -> Draft:
    valid = (pki.now - timedelta(days=1), pki.now + timedelta(days=365))
    return Draft(identity.certificate.subject, valid, _names(identity.certificate))


def _names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _twin(by: TestPki, identity: Identity, draft: Draft, key: PrivateKey | None = None) -> Identity:
    secret = key or new_key("rsa" if isinstance(identity.key, RSAPrivateKey) else "ec")
    authority = by.issuing
    certificate = make_certificate(draft, secret.public_key(), authority.certificate.subject, authority.key)
    return Identity(identity.name, certificate, secret, (authority.certificate,))


def _foreign_ca(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki.foreign(), identity, _good(pki, identity))


def _expired(pki: TestPki, identity: Identity) -> Identity:
    valid = (pki.now - timedelta(days=60), pki.now - timedelta(days=30))
    return _twin(pki, identity, replace(_good(pki, identity), valid=valid))


def _not_yet_valid(pki: TestPki, identity: Identity) -> Identity:
    valid = (pki.now + timedelta(days=30), pki.now + timedelta(days=60))
    return _twin(pki, identity, replace(_good(pki, identity), valid=valid))


def _revoked(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, replace(_good(pki, identity), serial=pki.take_revoked_serial()))


def _self_signed(pki: TestPki, identity: Identity) -> Identity:
    twin = _twin(pki, identity, _good(pki, identity))
    draft = _good(pki, identity)
    certificate = make_certificate(draft, twin.key.public_key(), draft.subject, twin.key)
    return replace(twin, certificate=certificate, chain=())


def _key_usage(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, replace(_good(pki, identity), usages=("key_agreement",)))


def _is_ca(pki: TestPki, identity: Identity) -> Identity:
    usages = ("digital_signature", "key_cert_sign")
    return _twin(pki, identity, replace(_good(pki, identity), authority=True, usages=usages))


def _weak_key(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, _good(pki, identity), new_key("rsa", rsa_bits=1024))


def _critical_extension(pki: TestPki, identity: Identity) -> Identity:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\x05\x00")  # the arc for examples
    return _twin(pki, identity, replace(_good(pki, identity), critical=(unknown,)))


_MAKERS: Mapping[str, Callable[[TestPki, Identity], Identity]] = {
    "foreign-ca": _foreign_ca,
    "expired": _expired,
    "not-yet-valid": _not_yet_valid,
    "self-signed": _self_signed,
    "revoked": _revoked,
    "key-usage": _key_usage,
    "is-ca": _is_ca,
    "weak-key": _weak_key,
    "critical-extension": _critical_extension,
}
