"""TLS contexts. They are costly: make one per identity and keep it.

No session is ever resumed, so every connection shows its certificates again.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from harness.errors import ConfigurationFault, Where

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from harness.security.model import Identity


def server_context(
    identity: Identity, anchors: Sequence[Certificate], *, demand_certificate: bool = True
) -> ssl.SSLContext:
    """TLS for a listener.

    Parameters:
        identity: what the listener shows; both files must be there.
        anchors: whom clients are believed on.
        demand_certificate: whether a client without a certificate is refused.

    Raises:
        ConfigurationFault: the identity or the anchors cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.num_tickets = 0
    _show(context, identity)
    if demand_certificate:
        _believe(context, anchors)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(identity: Identity | None, anchors: Sequence[Certificate]) -> ssl.SSLContext:
    """TLS for a client. The name in the server's certificate is checked.

    Parameters:
        identity: what the client shows when it is asked, or ``None``.
        anchors: whom servers are believed on.

    Raises:
        ConfigurationFault: the identity or the anchors cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    if identity is not None:
        _show(context, identity)
    _believe(context, anchors)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])


def _show(context: ssl.SSLContext, identity: Identity) -> None:
    if identity.certificate_file is None or identity.key_file is None:
        raise ConfigurationFault(
            f"the identity {identity.name} cannot be used for TLS: its certificate and key are not in files",
            remedy="Give the certificate and the key as PEM files.",
        )
    try:
        # A key with a password must not make OpenSSL ask for it on the terminal.
        context.load_cert_chain(identity.certificate_file, identity.key_file, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise ConfigurationFault(
            f"the certificate and key of {identity.name} cannot be used for TLS: {_reason(error)}",
            where=Where(identity.certificate_file),
            expected=f"a PEM certificate that belongs to the key without a password in {identity.key_file}",
            remedy="Check that both files are PEM and belong together.",
        ) from error


def _believe(context: ssl.SSLContext, anchors: Sequence[Certificate]) -> None:
    if not anchors:
        raise ConfigurationFault(
            "no trust anchor is given for TLS",
            remedy="Name at least one CA certificate on which the other side is believed.",
        )
    pem = b"".join(anchor.public_bytes(Encoding.PEM) for anchor in anchors)
    context.load_verify_locations(cadata=pem.decode("ascii"))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an anchor need not be self-signed


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not readable").replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)
