from __future__ import annotations

from dataclasses import replace

import pytest

from harness.pack.identify import identify
from harness.pack.model import Pack


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", "/notices", "notice"),
        ("POST", "/c2c/v1/arrivals/", "arrival"),
        ("POST", "/c2c/arrivals?x=/notices", "arrival"),
        ("PUT", "/notices", None),
        ("POST", "/c2c/mynotices", None),
        ("POST", "/", None),
        (None, None, None),
    ],
)
def test_by_method_and_target(pack: Pack, method: str | None, target: str | None, name: str | None) -> None:
    assert identify(pack, root="", method=method, target=target) == name


def test_the_longest_target_counts(pack: Pack) -> None:
    messages = dict(pack.messages)
    messages["notice"] = replace(messages["notice"], target="")
    changed = replace(pack, messages=messages)
    assert identify(changed, method="POST", target="/c2c/arrivals") == "arrival"
    assert identify(changed, method="POST", target="/c2c") == "notice"


def test_by_root_and_by_action(pack: Pack) -> None:
    messages = {
        name: replace(message, root=f"{{urn:x}}{name}", action=None if message.answers else f"urn:{name}")
        for name, message in pack.messages.items()
    }
    by_root = replace(pack, messages=messages, identify="root")
    assert identify(by_root, root="{urn:x}arrival-result") == "arrival-result"
    assert identify(by_root, root="{urn:y}arrival") is None
    assert identify(by_root, action="urn:arrival") is None
    by_action = replace(pack, messages=messages, identify="action")
    assert identify(by_action, root="{urn:x}notice", action="urn:arrival") == "arrival"
    assert identify(by_action, root="{urn:x}notice") is None
