"""The floor: the least that one end of the wire can do for an exchange, with bare libraries in straight lines.

The same bytes, keys, references and schemas as the machine had, and nothing found, checked, recorded or judged:

* parse both messages,
* canonicalise what is signed in both: Body, Timestamp, SignedInfo,
* digest the two references of both,
* sign the one SignedInfo, verify the other,
* validate both payloads,
* one round trip: a raw TLS socket with client certificates, h11 on it, the same number of bytes there and back.

What could be worked out once for all messages is worked out before: certificates, keys, compiled schemas, the
connection.

A case may ask for more than its exchanges on the wire, and then it has a floor of its own, which adds only what the
case really did, as its events tell:

* parse and validate each message that one simulated party gave to another (nobody signs or verifies those),
* write each order over the control interface: one line of JSON, as :mod:`benchmarks.world` sends it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import IO, Any, NamedTuple

import h11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from benchmarks.counterpart import CANNED
from benchmarks.measure import Series, measure
from benchmarks.world import HOST, World
from harness.exchange.tls import client_context

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_ALGORITHM = ECDSA(SHA256())


@dataclass(frozen=True)
class Pair:
    """An exchange as it was on the wire.

    Parameters:
        sent, received: what this end sent, and what came: request and answer, or the other way round.
        schemas: of both, in this order.
    """

    sent: bytes
    received: bytes
    schemas: tuple[Path, Path]


@dataclass(frozen=True)
class Beside:
    """What a case did besides its exchanges on the wire.

    Parameters:
        papers: what simulated parties gave to each other: the bytes, unsigned, and the schema.
        orders: what went over the control interface.
    """

    papers: tuple[tuple[bytes, Path], ...] = ()
    orders: tuple[Mapping[str, Any], ...] = ()


class Parts(NamedTuple):
    """Where everything stands in a message of this house; nothing is looked for."""

    body: etree._Element
    timestamp: etree._Element
    signed_info: etree._Element
    payload: etree._Element


@dataclass(frozen=True)
class _Prepared:
    """One exchange with everything that a step needs from the steps before it."""

    pair: Pair
    messages: tuple[Parts, Parts]
    schemas: tuple[etree.XMLSchema, etree.XMLSchema]
    forms: tuple[bytes, ...]
    to_digest: tuple[bytes, ...]
    to_sign: bytes
    to_verify: bytes
    value: bytes
    key: EllipticCurvePrivateKey
    public_key: EllipticCurvePublicKey


class Floor:
    """Does one exchange after the other, and then from the beginning.

    Parameters:
        prepared: the exchanges.
        beside: what the case did besides.
        connection: to the counterpart.
        pipe: where orders are written to.
    """

    def __init__(self, prepared: Sequence[_Prepared], beside: Beside, connection: Connection, pipe: IO[bytes]) -> None:
        self._prepared, self._connection, self._pipe = prepared, connection, pipe
        self._turns = cycle(prepared)
        self._papers = [(data, _schema(schema)) for data, schema in beside.papers]
        self._orders = beside.orders

    @property
    def only_exchanges(self) -> bool:
        """Whether the case is nothing but its exchanges, so that it has no floor of its own."""
        return not self._papers and not self._orders

    def line(self) -> None:
        """One exchange as one straight line of code."""
        _line(next(self._turns), self._connection)

    def case(self) -> None:
        """The whole case as one straight line of code: its exchanges, and what it did besides."""
        for data, schema in self._papers:
            _, body = etree.fromstring(data, _PARSER)
            if not schema.validate(body[0]):
                raise ValueError("the floor is measured with right messages")
        for order in self._orders:
            self._pipe.write(json.dumps(order).encode() + b"\n")
        for each in self._prepared:
            _line(each, self._connection)

    def parts(self, *, units: int, repeats: int) -> list[Series]:
        """Measure the parts one by one; a unit is one exchange."""
        steps: Mapping[str, Callable[[_Prepared], object]] = {
            "parse both messages": lambda each: [parse(each.pair.sent), parse(each.pair.received)],
            "canonicalise": lambda each: [forms_of(parts) for parts in each.messages],
            "digest": lambda each: _digest(each.to_digest),
            "sign and verify": _keys,
            "validate both": lambda each: _validate(each.schemas, each.messages),
            "round trip, TLS and h11": lambda each: self._connection.trip(each.pair.sent, len(each.pair.received)),
        }
        return [measure(name, self._turn(step), units=units, repeats=repeats) for name, step in steps.items()]

    def _turn(self, step: Callable[[_Prepared], object]) -> Callable[[], object]:
        return lambda: step(next(self._turns))


@contextmanager
def floor(world: World, pairs: Sequence[Pair], beside: Beside) -> Iterator[Floor]:
    """The floor of these exchanges and of what the case did besides, with a connection to the counterpart."""
    context = client_context(world.ours, world.trust.anchors)
    connection = Connection(world.counterpart.port, context)
    with closing(connection), Path(os.devnull).open("wb", buffering=0) as pipe:
        yield Floor([_prepare(world, pair) for pair in pairs], beside, connection, pipe)


def _line(each: _Prepared, connection: Connection) -> None:
    ours = parse(each.pair.sent)
    body, timestamp, signed_info = forms_of(ours)
    _digest((body, timestamp))
    each.key.sign(signed_info, _ALGORITHM)
    connection.trip(each.pair.sent, len(each.pair.received))
    theirs = parse(each.pair.received)
    body, timestamp, signed_info = forms_of(theirs)
    each.public_key.verify(der(each.value), signed_info, _ALGORITHM)
    _digest((body, timestamp))
    _validate(each.schemas, (ours, theirs))


def parse(data: bytes) -> Parts:
    """Parse a signed message of this house."""
    header, body = etree.fromstring(data, _PARSER)
    _, timestamp, signature = header[0]
    return Parts(body, timestamp, signature[0], body[0])


def forms_of(parts: Parts) -> list[bytes]:
    """The canonical forms of Body, Timestamp and SignedInfo."""
    return [etree.tostring(each, method="c14n", exclusive=True) for each in parts[:3]]


def _digest(forms: Sequence[bytes]) -> None:
    for form in forms:
        hashlib.sha256(form).digest()


def _keys(each: _Prepared) -> None:
    each.key.sign(each.to_sign, _ALGORITHM)
    each.public_key.verify(der(each.value), each.to_verify, _ALGORITHM)


def _validate(schemas: Sequence[etree.XMLSchema], messages: Sequence[Parts]) -> None:
    for schema, parts in zip(schemas, messages, strict=True):
        if not schema.validate(parts.payload):
            raise ValueError("the floor is measured with right messages")


def der(value: bytes) -> bytes:
    """An ECDSA value of XML Signature as the library wants it."""
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


def _prepare(world: World, pair: Pair) -> _Prepared:
    ours, theirs = parse(pair.sent), parse(pair.received)
    signature = theirs.signed_info.getparent()
    assert signature is not None
    security = signature.getparent()
    assert security is not None
    key = x509.load_der_x509_certificate(b64decode(security[0].text or "")).public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    assert isinstance(world.ours.key, EllipticCurvePrivateKey)
    forms = (*forms_of(ours), *forms_of(theirs))
    return _Prepared(
        pair,
        (ours, theirs),
        (_schema(pair.schemas[0]), _schema(pair.schemas[1])),
        forms,
        (forms[0], forms[1], forms[3], forms[4]),
        forms[2],
        forms[5],
        b64decode(signature[1].text or ""),
        world.ours.key,
        key,
    )


@lru_cache
def _schema(file: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(file))


class Connection:
    """A raw TLS socket with h11 on it."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._socket = context.wrap_socket(socket.create_connection((HOST, port)), server_hostname=HOST)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = h11.Connection(h11.CLIENT)

    def trip(self, body: bytes, back: int) -> None:
        """Send a request with *body*, and receive an answer of so many bytes."""
        http = self._http
        headers = [("Host", HOST), ("Content-Type", "application/soap+xml"), ("Content-Length", str(len(body)))]
        head = http.send(h11.Request(method="POST", target=f"{CANNED}{back}", headers=headers)) or b""
        content = http.send(h11.Data(data=body)) or b""
        self._socket.sendall(head + content + (http.send(h11.EndOfMessage()) or b""))
        came = 0
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(self._socket.recv(65536))
            elif isinstance(event, h11.Data):
                came += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        if came != back:
            raise ValueError(f"{came} bytes came back, and {back} were due")
        http.start_next_cycle()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
