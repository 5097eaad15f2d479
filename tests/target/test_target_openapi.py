"""The published contract of the control interface, held against what both sides really say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.exchange.model import ControlAnswer, Order
from harness.pack.data import published_schema
from harness.reference.control import Control
from harness.reference.reading import Incoming
from harness.target.control import Adapter

CONTRACT = published_schema("control.openapi")


def fits(name: str, document: Any) -> bool:
    """Whether a document is what the contract calls by that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}
    Draft202012Validator.check_schema(CONTRACT["components"]["schemas"][name])
    Draft202012Validator(schema).validate(document)
    return True


class Actor:
    """Stands in for a party: it takes every order."""

    role, actions, positions = "customs", ("notice",), ("export", "import")

    class book:  # noqa: N801 - an attribute of a party
        @staticmethod
        def report(name: str, key: Mapping[str, str]) -> str | None:
            return "announced" if name == "consignment" else None

    def act(self, order: object) -> str:
        return "R1"

    def reset(self) -> None: ...


async def reach(url: str) -> str | None:
    return None if "harness" in url else "no answer"


ORDER = Order(
    "c", "1", "notice", "export", {"a": "x", "b": None, "c": ["y"], "d": [{"e": None}]}, "customs.import", "https://h"
)


def test_every_reference_of_the_contract_leads_somewhere() -> None:
    text = json.dumps(CONTRACT)
    for part in text.split('"$ref": "#/')[1:]:
        place: Any = CONTRACT
        for step in part.split('"')[0].split("/"):
            place = place[step]
    assert CONTRACT["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("name", "asked", "answered"),
    [
        ("about", None, "About"),
        ("actions", "Order", "Taken"),
        ("state", "Question", "State"),
        ("callback", "Address", "Reached"),
    ],
)
def test_what_the_harness_asks_and_the_reference_answers(name: str, asked: str | None, answered: str) -> None:
    said: list[tuple[str, Any]] = []
    party = Control(Actor(), "token", reach)  # type: ignore[arg-type]

    async def call(call_name: str, body: Mapping[str, Any]) -> ControlAnswer:
        method, path = ("GET", "/") if call_name == "about" else ("POST", f"/{call_name}")
        headers = {"authorization": "Bearer token"}
        reply = await party.answer(Incoming(method, path, headers, json.dumps(body).encode() if body else b""))
        said.append((call_name, body))
        return ControlAnswer(reply.status, json.loads(reply.body))

    async def play() -> ControlAnswer | str | None:
        adapter = Adapter(call)
        calls = {
            "about": adapter.about,
            "actions": lambda: adapter.send(ORDER),
            "state": lambda: adapter.state("consignment", {"consignment": "X"}, None),
            "callback": lambda: adapter.callback("https://harness.example"),
        }
        return await calls[name]()

    answer = asyncio.run(play())
    assert asked is None or fits(asked, said[0][1])
    body = {"state": answer} if isinstance(answer, str) else answer.body if answer else None
    assert fits(answered, body)


def test_a_refusal_has_a_reason() -> None:
    party = Control(Actor(), "token", reach)  # type: ignore[arg-type]
    reply = asyncio.run(party.answer(Incoming("GET", "/", {}, b"")))
    assert reply.status == 401
    assert fits("Refusal", json.loads(reply.body))
