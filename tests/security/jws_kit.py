"""Helpers to make odd JSON Web Signatures."""

from __future__ import annotations

import hmac
import json

from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from harness.message.json import parse_json
from harness.security.jws_read import decode_url, encode_url
from harness.security.model import SecurityProfile
from harness.security.protect import protect

JWS = SecurityProfile("jws", signatures=("ES256", "RS256", "PS256"))
BODY = b'{"reference":"A-1","goods":[{"mass":"12.50"}]}'


def header_of(world):
    """The protected header of a good message."""
    text = protect(parse_json(BODY), world.ec, JWS, world.now).headers[JWS.header]
    return json.loads(decode_url(text.split(".")[0]))


def signed_jws(world, header, *, secret=None):
    """A detached JWS with any header, rightly signed with ES256; or with HMAC, where there is a secret."""
    text = encode_url(json.dumps(header).encode())
    data = f"{text}.{encode_url(BODY)}".encode()
    if secret is not None:
        return f"{text}..{encode_url(hmac.digest(secret, data, 'sha256'))}"
    value = joserfc_jws.JWSRegistry.algorithms["ES256"].sign(data, ECKey.import_key(world.ec.key))
    return f"{text}..{encode_url(value)}"
