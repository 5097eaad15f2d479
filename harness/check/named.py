"""Named checks: what a script asks about one message in Python, where data cannot say it.

An installed package gives them, with an entry point in the group ``c2c_harness``; or a program registers them::

    from harness.check.model import Finding
    from harness.check.named import hookimpl

    def grows(subject, parameters):
        if int(subject.opened.text("number") or 0) <= int(parameters["after"]):
            yield Finding("grows", "not-greater", f"the number is not above {parameters['after']}")

    @hookimpl
    def c2c_checks():
        return {"grows": grows}

A script calls it as ``check: {name: grows, with: {after: {saved: first}}}``. A check must be pure: it is called again,
years later, by whoever judges the evidence, who needs the same package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pluggy

from harness.errors import ConfigurationFault

if TYPE_CHECKING:
    from harness.check.model import Finding, Subject
    from harness.message.model import Value

PROJECT = "c2c_harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

NamedCheck: TypeAlias = "Callable[[Subject, Mapping[str, Value]], Iterable[Finding]]"
"""Takes the message of the system under test and the parameters of the step."""


class CheckSpec:
    """The hook by which checks are given."""

    @hookspec
    def c2c_checks(self) -> Mapping[str, NamedCheck]:
        """Checks by name, to be called from scripts."""
        raise NotImplementedError


def register(plugin: object) -> None:
    """Add the checks of a module or object to those of the installed packages."""
    _manager().register(plugin)


def unregister(plugin: object) -> None:
    """Take them away again."""
    _manager().unregister(plugin)


def named_checks() -> Mapping[str, NamedCheck]:
    """All checks that scripts can name.

    Raises:
        ConfigurationFault: two packages give a check of one name.
    """
    found: dict[str, NamedCheck] = {}
    for given in _manager().hook.c2c_checks():
        for name, check in given.items():
            if name in found:
                raise ConfigurationFault(
                    f"two installed packages give a check named '{name}'", remedy="Uninstall or rename one of them."
                )
            found[name] = check
    return found


@cache
def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(CheckSpec)
    manager.load_setuptools_entrypoints(PROJECT)
    return manager
