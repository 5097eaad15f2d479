"""Identities that are wrong in exactly one way, for the defects that need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from harness.security.issue import Draft, make_certificate, new_key
from harness.security.model import Identity, PrivateKey
from harness.security.pki import TestPki

Spares = Mapping[str, Identity]
"""Identities by what is wrong with them, as in ``certificate/<name>``."""


def make_spares(pki: TestPki, identity: Identity, *names: str) -> Spares:
    """Twins of an identity: same subject and kind of key, each wrong in one way for as long as the identity is valid.

    The revoked one has a number that is on the list of the PKI already.

    Parameters:
        pki: the infrastructure that issued *identity*.
        identity: who the twins pretend to be.
        names: of the defects; none means all.
    """
    return {name: make(pki, identity) for name, make in _MAKERS.items() if not names or name in names}


def out_of_time(name: str, spare: Identity, now: datetime) -> str:
    """Why a spare is no longer, or not yet, wrong in its own way only; empty where it is.

    Parameters:
        name: what is to be wrong with it.
        spare: the identity.
        now: aware.
    """
    first, last = spare.certificate.not_valid_before_utc, spare.certificate.not_valid_after_utc
    word = "expired" if last < now else "not-yet-valid" if now < first else ""
    if word == (name if name in ("expired", "not-yet-valid") else ""):
        return ""
    return f"is valid from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _good(identity: Identity) -> Draft:
    its = identity.certificate
    return Draft(its.subject, (its.not_valid_before_utc, its.not_valid_after_utc), _names(its))


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
    return _twin(pki.foreign(), identity, _good(identity))


def _expired(pki: TestPki, identity: Identity) -> Identity:
    valid = (pki.now - timedelta(days=60), pki.now - timedelta(days=30))
    return _twin(pki, identity, replace(_good(identity), valid=valid))


def _not_yet_valid(pki: TestPki, identity: Identity) -> Identity:
    good = _good(identity)
    valid = (good.valid[1] + timedelta(days=30), good.valid[1] + timedelta(days=60))
    return _twin(pki, identity, replace(good, valid=valid))


def _revoked(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, replace(_good(identity), serial=pki.take_revoked_serial()))


def _self_signed(pki: TestPki, identity: Identity) -> Identity:
    twin = _twin(pki, identity, _good(identity))
    draft = _good(identity)
    certificate = make_certificate(draft, twin.key.public_key(), draft.subject, twin.key)
    return replace(twin, certificate=certificate, chain=())


def _key_usage(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, replace(_good(identity), usages=("key_agreement",)))


def _is_ca(pki: TestPki, identity: Identity) -> Identity:
    usages = ("digital_signature", "key_cert_sign")
    return _twin(pki, identity, replace(_good(identity), authority=True, usages=usages))


def _weak_key(pki: TestPki, identity: Identity) -> Identity:
    return _twin(pki, identity, _good(identity), new_key("rsa", rsa_bits=1024))


def _critical_extension(pki: TestPki, identity: Identity) -> Identity:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\x05\x00")  # the arc for examples
    return _twin(pki, identity, replace(_good(identity), critical=(unknown,)))


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
