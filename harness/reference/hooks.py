"""Hook points: where a reference party can be told to make a mistake on purpose.

The party asks at every decision ``hooks.<point>(default, ...facts)``. Without a fault the answer is the default. A
fault of the pack names one point; it fits where all its parameters that name facts agree with the facts
(a pattern such as ``signature/*`` agrees with all that it matches), and the other parameters say what replaces the
default. So there is no code for a single fault, and ``docs/faults.md`` is the whole manual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from harness.errors import ConfigurationFault
from harness.message.model import Value
from harness.pack.fault import Fault, Variation
from harness.pack.model import Outcome

POINTS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    point: (frozenset(facts.split()), frozenset(options.split()))
    for point, facts, options in (
        ("accept-signature", "message problem", ""),
        ("accept-schema", "message kind", ""),
        ("accept-rule", "message code", ""),
        ("duplicate", "message", "as"),
        ("guard", "message object state", "as"),
        ("match", "message value", "as"),
        ("refuse", "message", "as"),
        ("effect", "message object", "as"),
        ("error-code", "message code", "as"),
        ("error-pointer", "message code", "as"),
        ("correlation", "message", "as"),
        ("build", "message", "set"),
        ("sign", "message", "defect"),
        ("notify", "message reaction", "as"),
        ("after-refusal", "message", "as"),
        ("delay", "message", "seconds"),
        ("answer", "message", "as"),
        ("state", "object", "as"),
    )
}
"""Hook point to the parameters that must agree with the facts, and those that replace the default."""

Switch: TypeAlias = Fault | Variation
"""What can be switched on: both say which hook point does what."""

ANSWERS = ("html", "fault-200", "close", "silence")
"""What can stand in the place of a right answer (hook point ``answer``)."""


class Hooks:
    """The switched-on faults of one party.

    Parameters:
        faults: of the pack, those that are switched on.

    Raises:
        ConfigurationFault: a fault names a hook point or a parameter that is not there.
    """

    def __init__(self, faults: Iterable[Switch] = ()) -> None:
        self._faults = tuple(faults)
        for fault in self._faults:
            _check(fault)

    def accepts_problem(self, *, message: str | None, problem: str) -> bool:
        """Whether a wrong signature is overlooked (``accept-signature``)."""
        return self._fault("accept-signature", message=message, problem=problem) is not None

    def accepts_violation(self, *, message: str, kind: str) -> bool:
        """Whether a violation of the schema is overlooked (``accept-schema``)."""
        return self._fault("accept-schema", message=message, kind=kind) is not None

    def accepts_breach(self, *, message: str, code: str) -> bool:
        """Whether a broken rule, or a value that is not in its code list, is overlooked (``accept-rule``)."""
        return self._fault("accept-rule", message=message, code=code) is not None

    def duplicate(self, default: Outcome | None, *, message: str) -> Outcome | None:
        """How a message is refused whose reference was seen before (``duplicate``)."""
        return _outcome(self._fault("duplicate", message=message), default)

    def guard(self, default: Outcome | None, *, message: str, object: str, state: str) -> Outcome | None:  # noqa: A002
        """How a message is refused while an object is in a state (``guard``)."""
        return _outcome(self._fault("guard", message=message, object=object, state=state), default)

    def match(self, default: Outcome | None, *, message: str, value: str) -> Outcome | None:
        """How a message is refused whose value differs from the recorded one (``match``)."""
        return _outcome(self._fault("match", message=message, value=value), default)

    def refuse(self, *, message: str) -> Outcome | None:
        """How a message is refused although nothing is wrong with it (``refuse``)."""
        return _outcome(self._fault("refuse", message=message), None)

    def effect(self, default: str, *, message: str, object: str) -> str | None:  # noqa: A002
        """The state that an object gets; ``None`` when it is not changed (``effect``, ``as: none``)."""
        text = self._text("effect", default, message=message, object=object)
        return None if text == "none" and text != default else text

    def error_code(self, default: str | None, *, message: tuple[str, ...]) -> str | None:
        """The code of an error in an answer (``error-code``)."""
        return self._text("error-code", default, message=message, code=default)

    def error_pointer(self, default: str | None, *, message: tuple[str, ...], code: str | None) -> str | None:
        """The pointer of an error in an answer (``error-pointer``)."""
        return self._text("error-pointer", default, message=message, code=code)

    def correlation(self, default: Value, *, message: tuple[str, ...]) -> Value:
        """The reference by which an answer says what it answers (``correlation``, ``as: none`` or some other text)."""
        fault = self._fault("correlation", message=message)
        if fault is None or fault["as"] == "ignore":
            return default
        return None if fault["as"] == "none" else str(fault["as"])

    def ignores_correlation(self, *, message: tuple[str, ...]) -> bool:
        """Whether an answer that belongs to another request is taken as well (``correlation``, ``as: ignore``)."""
        fault = self._fault("correlation", message=message)
        return fault is not None and fault["as"] == "ignore"

    def build(self, default: Mapping[str, Value], *, message: str) -> Mapping[str, Value]:
        """The bound values of a message that is built (``build``, ``set: {name: value}``)."""
        fault = self._fault("build", message=message)
        return default if fault is None else {**default, **fault["set"]}

    def sign(self, *, message: str) -> str | None:
        """Name of the security defect that is put into a message (``sign``)."""
        fault = self._fault("sign", message=message)
        return None if fault is None else str(fault["defect"])

    def notify(
        self, default: tuple[str, ...], *, reaction: str, message: str, others: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Who gets the message of a reaction (``notify``, ``as: none``, ``twice`` or ``wrong-party``)."""
        fault = self._fault("notify", reaction=reaction, message=message)
        return default if fault is None else {"none": (), "twice": default * 2, "wrong-party": others}[fault["as"]]

    def proceeds(self, *, message: tuple[str, ...]) -> bool:
        """Whether a refusal is taken for an acceptance (``after-refusal``, ``as: proceed``)."""
        return self._fault("after-refusal", message=message) is not None

    def delay(self, *, message: str) -> float:
        """Seconds to wait before a message is sent (``delay``)."""
        fault = self._fault("delay", message=message)
        return 0.0 if fault is None else float(fault["seconds"])

    def answer(self, *, message: tuple[str, ...]) -> str | None:
        """What is sent in the place of an answer, one of :data:`ANSWERS` (``answer``)."""
        return self._text("answer", None, message=message)

    def state(self, default: str | None, *, object: str) -> str | None:  # noqa: A002
        """The state that the control interface reports (``state``)."""
        return self._text("state", default, object=object)

    def _text(self, point: str, default: str | None, **facts: str | tuple[str, ...] | None) -> str | None:
        fault = self._fault(point, **facts)
        return default if fault is None else str(fault["as"])

    def _fault(self, point: str, **facts: str | tuple[str, ...] | None) -> Mapping[str, Any] | None:
        for fault in self._faults:
            if fault.hook == point and all(
                _agrees(str(fault.parameters[name]), value) for name, value in facts.items() if name in fault.parameters
            ):
                return fault.parameters
        return None


def _agrees(pattern: str, fact: str | tuple[str, ...] | None) -> bool:
    """Whether a parameter agrees with a fact; a tuple is one thing under several names (request and answer)."""
    names = fact if isinstance(fact, tuple) else (fact or "",)
    return any(fnmatchcase(name, pattern) for name in names)


def _outcome(fault: Mapping[str, Any] | None, default: Outcome | None) -> Outcome | None:
    if fault is None:
        return default
    wanted = fault["as"]
    if wanted == "proceed":
        return None
    error = wanted if isinstance(wanted, Mapping) else {"error": wanted}
    return Outcome("error", str(error["error"]), str(error.get("pointer", "/")), error.get("by"))


def _check(fault: Switch) -> None:
    if fault.hook not in POINTS:
        raise ConfigurationFault(
            f"the fault {fault.id} names the hook point {fault.hook!r}, which is not there",
            expected="one of " + ", ".join(POINTS),
        )
    facts, options = POINTS[fault.hook]
    given = set(fault.parameters)
    if given - facts - options or options - given:
        raise ConfigurationFault(
            f"the parameters of the fault {fault.id} do not fit the hook point {fault.hook}: "
            + (", ".join(sorted(given)) or "none"),
            expected=", ".join(sorted(options)) + " and any of " + ", ".join(sorted(facts)),
            remedy="docs/faults.md has the table of the hook points.",
        )
    _check_choice(fault)


def _check_choice(fault: Switch) -> None:
    choices = {"notify": ("none", "twice", "wrong-party"), "answer": ANSWERS, "after-refusal": ("proceed",)}
    wanted = fault.parameters.get("as", "")
    if fault.hook in choices and wanted not in choices[fault.hook]:
        raise ConfigurationFault(
            f"the fault {fault.id} says as: {wanted}", expected="one of " + ", ".join(choices[fault.hook])
        )
    if (
        fault.hook in ("guard", "match", "duplicate", "refuse")
        and isinstance(wanted, Mapping)
        and "error" not in wanted
    ):
        raise ConfigurationFault(
            f"the fault {fault.id} says as: {wanted}", expected='proceed, or an error such as {error: "210"}'
        )
