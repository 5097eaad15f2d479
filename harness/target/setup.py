"""From a target file to the setup of the play."""

from __future__ import annotations

from collections.abc import Callable

from harness.exchange.model import Setup
from harness.pack.model import Pack
from harness.target.control import Adapter, command_control, confirm_command, http_control, no_control
from harness.target.guided import Terminal, guided_control
from harness.target.identities import (
    LISTENER,
    check_statement_key,
    load_anchors,
    load_identities,
    load_own_lists,
    load_spares,
)
from harness.target.load import check_target
from harness.target.model import CommandControl, GuidedControl, HttpControl, Target


def make_setup(target: Target, pack: Pack, confirm: Callable[[str], bool] = lambda _: False) -> Setup:
    """Everything that the play needs to know of the world.

    Parameters:
        target: the target file.
        pack: the profile.
        confirm: asks a person about a control command that was not confirmed before.

    Raises:
        ConfigurationFault: target and pack do not fit, a key or certificate cannot be used, or the person said no.
    """
    check_target(target, pack)
    identities = load_identities(target, pack)
    if target.statement is not None:
        check_statement_key(target.statement, identities.values(), target.source.where(("statement", "key")))
    spares = load_spares(target, identities)
    seats = {seat: party.position for seat, party in pack.parties.items() if party.role == target.role}
    return Setup(
        sut_urls={seat: url for seat, position in seats.items() if (url := target.endpoint(position))},
        listen_host=target.listen.host,
        listen_port=target.listen.port,
        advertised=target.listen.advertise.rstrip("/") if target.listen.advertise else None,
        listener=identities[LISTENER],
        identities={name: identity for name, identity in identities.items() if name != LISTENER},
        spares=spares,
        tls_anchors=load_anchors(target, target.certificates.tls),
        control=make_control(target, confirm),
        crls=load_own_lists(target),
        max_in_flight=target.max_in_flight,
    )


def make_control(target: Target, confirm: Callable[[str], bool] = lambda _: False) -> Adapter:
    """The control interface of the target.

    Raises:
        ConfigurationFault: its token or anchors cannot be used, or its command was not confirmed.
    """
    match target.control:
        case HttpControl() as choice:
            return http_control(choice, load_anchors(target, choice.tls))
        case CommandControl() as choice:
            confirm_command(choice, target.source.path, confirm)
            return command_control(choice, target.source.path.parent)
        case GuidedControl():
            return guided_control(Terminal())
        case _:
            return no_control()
