"""Time stamps on signatures: an authority that nobody here controls says that a signature was there at a time.

A stamp stands beside its signature in the envelope and is over the bytes of the signature, so that it also holds what
was signed. Source: RFC 3161. The package ``rfc3161-client`` is needed (``c2c-harness[timestamp]``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from harness.errors import BundleFault, ConfigurationFault, Where

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography import x509

MOST_BYTES = 64 * 1024
"""Of one answer of a time-stamping authority."""
_SECONDS = 20.0


@dataclass(frozen=True)
class Stamp:
    """A time stamp on one signature.

    Parameters:
        key: id of the key that had signed.
        at: the signature was there then, says the authority.
        checked: the authority is one of the trusted ones.
    """

    key: str
    at: datetime
    checked: bool


def add_stamp(data: bytes, url: str) -> bytes:
    """Have the last signature of an envelope stamped.

    Parameters:
        data: the envelope.
        url: of the authority, http or https; it sees a digest only.

    Raises:
        ConfigurationFault: the authority cannot be reached, or does not stamp; the signature has a stamp already.
    """
    client = _client()
    envelope: dict[str, Any] = json.loads(data)
    entry = envelope["signatures"][-1]
    if "timestamp" in entry:
        raise ConfigurationFault("this signature has a time stamp already")
    signature = base64.b64decode(entry["sig"])
    request = client.TimestampRequestBuilder().data(signature).build()
    answer = _ask(url, request.as_bytes())
    try:
        response = client.decode_timestamp_response(answer)
        granted = client.PKIStatus(response.status) == client.PKIStatus.GRANTED
        same = granted and response.tst_info.nonce == request.nonce
        same = same and response.tst_info.message_imprint.message == request.message_imprint.message
    except ValueError as problem:
        raise ConfigurationFault(f"the answer cannot be read: {problem}", where=Where(url)) from None
    if not same:
        raise ConfigurationFault(
            "the authority did not stamp what it was asked to" if granted else "the authority refused to stamp",
            where=Where(url),
            remedy="Ask those who run it, or take another one.",
        )
    entry["timestamp"] = base64.b64encode(answer).decode()
    return json.dumps(envelope, indent=1).encode() + b"\n"


def stamps(data: bytes, authorities: Sequence[x509.Certificate]) -> Iterator[Stamp]:
    """The time stamps in an envelope whose signatures are valid.

    Parameters:
        data: the envelope.
        authorities: certificates of trusted roots and intermediates; none leaves the authority unchecked.

    Raises:
        BundleFault: a stamp is of something else, cannot be read, or is by nobody who is trusted.
        ConfigurationFault: the package that reads time stamps is missing.
    """
    for entry in json.loads(data)["signatures"]:
        if "timestamp" in entry:
            yield _read(entry, authorities)


def _read(entry: dict[str, str], authorities: Sequence[x509.Certificate]) -> Stamp:
    client = _client()
    who = f"the time stamp on the signature by key {entry['keyid'][:16]}"
    signature = base64.b64decode(entry["sig"])
    try:
        response = client.decode_timestamp_response(base64.b64decode(entry["timestamp"], validate=True))
        builder = client.VerifierBuilder()
        for each in authorities:
            own = each.issuer == each.subject
            builder = builder.add_root_certificate(each) if own else builder.add_intermediate_certificate(each)
        if authorities:
            builder.build().verify_message(response, signature)
        elif not _is_over(response, signature):
            raise BundleFault(f"{who} is of something else")
        return Stamp(entry["keyid"], response.tst_info.gen_time, bool(authorities))
    except (ValueError, binascii.Error, client.VerificationError) as problem:
        raise BundleFault(f"{who} is not valid, or not by a trusted authority: {problem}") from None


def _is_over(response: Any, signature: bytes) -> bool:
    from cryptography.hazmat.primitives import hashes

    imprint = response.tst_info.message_imprint
    for algorithm in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        digest = hashes.Hash(algorithm)
        digest.update(signature)
        if digest.finalize() == imprint.message:
            return True
    return False


def _ask(url: str, request: bytes) -> bytes:
    try:
        with (
            httpx.Client(timeout=_SECONDS, follow_redirects=False) as http,
            http.stream(
                "POST", url, content=request, headers={"content-type": "application/timestamp-query"}
            ) as answer,
        ):
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise ConfigurationFault(
            f"the time-stamping authority cannot be asked: {problem}", where=Where(url), remedy="Check the address."
        ) from None
    if answer.status_code != httpx.codes.OK or len(body) > MOST_BYTES:
        raise ConfigurationFault(
            f"the time-stamping authority answered with HTTP {answer.status_code} and {len(body)} bytes",
            where=Where(url),
            expected=f"200, and at most {MOST_BYTES} bytes",
        )
    return body


def _client() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError:
        raise ConfigurationFault(
            "time stamps need a package that is not installed", remedy="Run: pip install 'c2c-harness[timestamp]'"
        ) from None
    return rfc3161_client
