"""Every problem that a verification can report, and the record in which it writes them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.security.model import Problem

OF_WHO_VERIFIES = frozenset(
    f"certificate/{word}"
    for word in ("revocation-missing", "crl-stale", "crl-untrusted", "crl-scope", "ocsp-stale", "ocsp-untrusted")
)
"""Problems with what the verifier was given, and not with the message: its sender is not to blame."""

PROBLEMS: Mapping[str, str] = {
    "structure/soap-version": "The envelope has another SOAP version than the profile.",
    "structure/second-header": "There is more than one Header.",
    "structure/second-body": "There is more than one Body.",
    "structure/no-body": "There is no Body.",
    "structure/body-not-last": "Something stands after the Body.",
    "structure/foreign-element": "The envelope has a child that is neither Header nor Body.",
    "structure/no-payload": "The Body is empty.",
    "structure/second-payload": "The Body has more than one child element.",
    "structure/second-security-header": "More than one Security header is meant for the receiver.",
    "structure/second-signature": "The Security header has more than one Signature.",
    "structure/duplicate-id": "Two elements have the same id, whatever the kinds of their id attributes.",
    "structure/too-many-references": "The signature has more references than are looked at.",
    "structure/too-many-transforms": "A reference has more transforms than are looked at.",
    "signature/missing": "There is no signature.",
    "signature/malformed": "A part of the signature is missing, repeated, out of place or not readable.",
    "signature/no-references": "The signature covers nothing.",
    "signature/external-reference": "A reference leads out of the message.",
    "signature/reference-not-allowed": "A reference is not of the form #id.",
    "signature/reference-unresolved": "No element has the id that a reference names.",
    "signature/not-canonicalisable": "A signed element, or SignedInfo, has no canonical form.",
    "signature/digest-mismatch": "A signed element was changed after it was signed.",
    "signature/value-invalid": "The signature value does not belong to this key and these bytes.",
    "signature/ecdsa-der": "The ECDSA value is in DER instead of r and s one after the other.",
    "signature/key-mismatch": "The key of the certificate is of another kind than the algorithm.",
    "signature/token-missing": "The signature does not lead to a certificate.",
    "signature/token-unknown": "The signature names its certificate in a way that is not understood.",
    "signature/token-not-allowed": "The signature names its certificate in a way that the profile does not allow.",
    "signature/token-malformed": "The certificate of the signature cannot be read.",
    "signature/token-mismatch": "The parts that name the certificate of the signature contradict each other.",
    "signature/token-unresolved": "The signature points at a certificate that is neither in the message nor at hand.",
    "signature/token-bare-key": "The signature gives a key without a certificate.",
    "signature/transform-misplaced": "A STR transform stands on something else than a reference to a token.",
    "signature/wrapped": "What is signed is an element elsewhere, not the one in its proper place.",
    "signature/body-not-signed": "The Body is not signed.",
    "signature/content-not-signed": "What a signature without an envelope is about is not signed itself.",
    "signature/timestamp-not-signed": "The Timestamp is not signed.",
    "signature/token-not-signed": "The token with the certificate is not signed, and the profile wants it.",
    "signature/header-not-allowed": "A JWS header chooses its own key, or has a critical member that is not allowed.",
    "signature/header-unprotected": "A member of a JWS header that must be signed is not.",
    "signature/critical-malformed": "The list of critical members of a JWS header is empty or does not fit to it.",
    "signature/critical-unknown": "A JWS header has a critical member that is not known.",
    "algorithm/sha1": "SHA-1 is refused, whatever a profile says.",
    "algorithm/md5": "MD5 is refused, whatever a profile says.",
    "algorithm/hmac": "A message authentication code is not a signature.",
    "algorithm/dsa": "DSA is refused, whatever a profile says.",
    "algorithm/none": "A JWS with the algorithm none is not signed.",
    "algorithm/unknown": "An algorithm is not known.",
    "algorithm/not-allowed": "An algorithm is known, and the profile does not allow it.",
    "algorithm/transform-not-allowed": "Something else than one canonicalisation stands between element and digest.",
    "certificate/untrusted": "No path leads to a trust anchor.",
    "certificate/self-signed": "The certificate is signed by its own key.",
    "certificate/expired": "The certificate is no longer valid.",
    "certificate/not-yet-valid": "The certificate is not valid yet.",
    "certificate/issuer-out-of-date": "A certificate further up the path is not valid at this moment.",
    "certificate/issuer-no-authority": "A certificate was issued by one that is no authority.",
    "certificate/issuer-key-usage": "The key of an issuer in the path may not sign certificates.",
    "certificate/path-length": "There are more authorities in the path than one of them allows.",
    "certificate/name-constraints": "An authority does not allow a name of a certificate below it.",
    "certificate/critical-extension": "A certificate in the path has a critical extension that is not known.",
    "certificate/weak-signature": "A certificate in the path was signed with a digest that has been broken.",
    "certificate/policy": "The path is not valid under a certificate policy that is due.",
    "certificate/path-invalid": "The path breaks another rule.",
    "certificate/extended-key-usage": "The extended key usage does not allow what the profile wants.",
    "certificate/is-ca": "The certificate of a certification authority signs a message.",
    "certificate/key-usage": "The key usage does not allow signatures on messages.",
    "certificate/weak-key": "An RSA key in the path is too short.",
    "certificate/curve": "A key in the path is on a curve that the profile does not allow.",
    "certificate/key-kind": "A key in the path is neither RSA nor on a known elliptic curve.",
    "certificate/revoked": "A certificate in the path is revoked.",
    "certificate/revocation-missing": "Nothing at hand says whether a certificate is revoked, and it must be checked.",
    "certificate/crl-stale": "The revocation list at hand is out of date.",
    "certificate/crl-untrusted": "The revocation list at hand was not signed by the issuer, or not soundly.",
    "certificate/crl-scope": "The revocation list at hand is indirect, partial, a delta, or not understood.",
    "certificate/ocsp-stale": "The OCSP answer at hand is out of date.",
    "certificate/ocsp-untrusted": "The OCSP answer at hand was not signed by the issuer or on its behalf.",
    "certificate/ocsp-unknown": "The issuer answered by OCSP that it does not know the certificate.",
    "timestamp/missing": "There is no Timestamp, or for a JWS no signing time.",
    "timestamp/malformed": "The Timestamp is repeated, or a time in it is missing or not readable.",
    "timestamp/not-utc": "A time is not in UTC.",
    "timestamp/inverted": "Expires is not after Created.",
    "timestamp/lifetime": "More time lies between Created and Expires than the profile allows.",
    "timestamp/future": "Created lies in the future, beyond the tolerance.",
    "timestamp/stale": "Expires lies in the past, beyond the tolerance.",
}
"""Code to meaning. Each kind of problem has one code; the sentence with the facts is in the report."""


class Record:
    """What each step of one verification came to; no step stops the next, where that can still be done.

    Attributes:
        problems: in the order in which they were found.
        steps: name of the step to ``ok``, ``failed`` or ``not done``.
    """

    def __init__(self, steps: Iterable[str]) -> None:
        self.problems: list[Problem] = []
        self.steps = dict.fromkeys(steps, "not done")

    def note(self, step: str, problems: Iterable[Problem]) -> bool:
        """Write down a step; true when nothing was wrong with it."""
        found = list(problems)
        if found:
            self.problems += found
            self.steps[step] = "failed"
        elif self.steps[step] != "failed":
            self.steps[step] = "ok"
        return not found
