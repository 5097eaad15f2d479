"""The first target file of a new user: three commented files made from a few answers.

The command line asks; here is what is written. The files can be loaded as they are, and say what to fill in next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.errors import ConfigurationFault, Where
from harness.pack.model import Message, Pack
from harness.scenario.claim import must_support, requests_of


@dataclass(frozen=True)
class Answers:
    """What the user was asked.

    Parameters:
        pack: name or folder of the pack, as it shall stand in the file.
        role, positions: what the system plays.
        authority, product, version, contact: who it is.
        facts: what messages say about it, such as country and office.
        url: where it listens; empty when it only sends.
        control: ``http``, ``command``, ``guided`` or ``none``.
        control_url: for ``http``.
        command: program and arguments, for ``command``.
        listen_host, listen_port, advertise: where the harness listens; *advertise* is empty when it is the same.
        test_keys: certificates marked TEST are allowed.
    """

    pack: str
    role: str
    authority: str
    product: str
    version: str
    positions: tuple[str, ...] = ()
    contact: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    control: str = "none"
    control_url: str = ""
    command: tuple[str, ...] = ()
    listen_host: str = "127.0.0.1"
    listen_port: int = 8443
    advertise: str = ""
    test_keys: bool = True


FILES = ("target.yaml", "ics.yaml", "ixit.yaml")


def check_new(folder: Path) -> None:
    """Make sure that nothing would be overwritten.

    Raises:
        ConfigurationFault: one of the files is there already.
    """
    for name in FILES:
        if (folder / name).exists():
            raise ConfigurationFault(
                f"{name} is there already, and is not overwritten",
                where=Where(folder / name),
                remedy="Choose another folder, or move the file away.",
            )


def write_target_files(answers: Answers, pack: Pack, folder: Path) -> tuple[Path, ...]:
    """Write ``target.yaml``, ``ics.yaml`` and ``ixit.yaml``.

    Parameters:
        answers: what the user said.
        pack: the profile; it says which messages, pools and timers there are.
        folder: is made if it is not there.

    Raises:
        ConfigurationFault: one of the files is there already, or the folder cannot be written.
    """
    check_new(folder)
    texts = dict(zip(FILES, (_target(answers), _ics(answers, pack), _ixit(pack)), strict=True))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8", newline="\n")
    except OSError as problem:
        raise ConfigurationFault(
            f"the folder cannot be written: {problem.strerror}", where=Where(folder), remedy="Choose another folder."
        ) from None
    return tuple(folder / name for name in texts)


def _quoted(value: object) -> str:
    """A value as YAML: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _target(answers: Answers) -> str:
    facts = "".join(f"  {name}: {_quoted(text)}\n" for name, text in answers.facts.items()) or "  {}\n"
    lines = [
        "# The system under test (SUT), and how to reach it. Paths are relative to this file.",
        "# 'c2c doctor --target target.yaml' checks everything here before a run; 'c2c schema target' is the notation.",
        f"pack: {_quoted(answers.pack)}",
        "sut:                        # stands on every page of the report",
        f"  authority: {_quoted(answers.authority)}",
        f"  product: {_quoted(answers.product)}",
        f"  version: {_quoted(answers.version)}",
        *([f"  contact: {_quoted(answers.contact)}"] if answers.contact else []),
        f"role: {_quoted(answers.role)}",
        *(
            [f"positions: {_quoted(list(answers.positions))}    # a certificate needs every claimed position"]
            if answers.positions
            else []
        ),
        "facts:                      # what your messages say about you; below 'positions:' where it differs",
        facts.rstrip("\n"),
        *_endpoints(answers),
        "certificates:               # what your certificates are believed on (PEM)",
        "  tls: [trust/trust.pem]",
        "  # signatures: [trust/signing-ca.pem]   # where messages are signed under another authority",
        "  # crls: [trust/crl.pem]               # revocation lists; or ocsp: [trust/answer.der], cached answers",
        "  # signers: [identities/my-system.pem]  # what your system signs with: binds each message to it",
        f"keys: {'test' if answers.test_keys else 'real'}                  "
        "# 'test' allows certificates marked TEST, such as those of 'c2c pki'",
        "identities: identities      # certificate and key of each party that the harness plays (docs/connecting.md)",
        "listen:                     # where the harness listens for your messages",
        f"  host: {_quoted(answers.listen_host)}",
        f"  port: {answers.listen_port}",
        *(
            [f"  advertise: {_quoted(answers.advertise)}"]
            if answers.advertise
            else ["  # advertise: https://harness.example.org:8443   # the address that your system uses, behind NAT"]
        ),
        "ics: ics.yaml               # what you claim to support",
        "ixit: ixit.yaml             # data and times for testing",
        "max_in_flight: 1            # how many cases at once; raise it when your system can do that",
        "setup: drive                # the cases bring the system into the state that they need",
        *_control(answers),
        "# statement:                # the key that signs the bundle; never a key for messages or TLS",
        "#   key: statement.key",
        "assurance: self-declaration",
    ]
    return "\n".join(lines) + "\n"


def _endpoints(answers: Answers) -> list[str]:
    if not answers.url:
        return ["# endpoints: {url: https://...}   # where your system listens; left out: it only sends"]
    return ["endpoints:                  # where your system listens", f"  url: {_quoted(answers.url)}"]


def _control(answers: Answers) -> list[str]:
    head = "control:                    # how the harness asks your system to act (docs/connecting.md)"
    match answers.control:
        case "http":
            return [
                head,
                "  type: http",
                f"  url: {_quoted(answers.control_url)}",
                "  token: {file: control.token}     # a secret; it never stands in this file",
            ]
        case "command":
            return [head, "  type: command", f"  arguments: {_quoted(list(answers.command))}"]
        case "guided":
            return [head, "  type: guided              # a person is told what to do; 'c2c plan --sheet' prints it"]
        case _:
            return [head, "  type: none                # or guided: a person is told what to do"]


def _ics(answers: Answers, pack: Pack) -> str:
    lines = [
        "# ICS: what the system claims to support. Answer each question with true or false.",
        "# 'false' leaves out every case that needs the message, and the certificate lists what was left out.",
        "# Whoever does not claim a mandatory message is not conformant.",
        "messages:",
    ]
    for name in requests_of(pack, answers.role):
        demand = "Mandatory" if must_support(pack, answers.role, name) else "Optional"
        lines += [f"  # {_question(answers.role, pack.messages[name])} {demand}.", f"  {name}: true"]
    if pack.procedures:
        lines += ["", "# What persons beside the system work in this run. What they did waits for `c2c review`."]
        lines += ["procedures:"]
    for name, question in pack.procedures.items():
        lines += [f"  # {question}", f"  {name}: false"]
    return "\n".join(lines) + "\n"


def _question(role: str, message: Message) -> str:
    sends = message.sender == role
    answer = message.answer
    more = (
        "" if answer is None else f" and understand the answer {answer}" if sends else f" and answer it with {answer}"
    )
    return f"Does your system {'send' if sends else 'receive'} {message.name} ({message.title}){more}?"


def _ixit(pack: Pack) -> str:
    head = "pools:    # what must be so in your system, as each name says"
    lines = ["# IXIT: data and times for testing this system.", head]
    for name, entries in pack.pools.items():
        lines.append(f"  {name}: {_quoted(list(entries))}")
    if not pack.pools:
        lines[-1] = "pools: {}"
    lines.append("timers:    # the longest times; a wrong value here makes right systems fail, or wrong ones pass")
    lines += [f"  {name}: {_duration(value)}" for name, value in pack.timers.items()]
    return "\n".join(lines) + "\n"


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
