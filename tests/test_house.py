"""The rules of the house: floors, no circles, no names of packs in the machine, one place for POSIX, short files."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "harness"
FILES = sorted(HOUSE.rglob("*.py"))
DATA = sorted(file for kind in ("json", "yaml", "html", "j2", "css") for file in HOUSE.rglob(f"*.{kind}"))
LINES = 400
LONGER = {"harness.pack.model": 700}
"""Files that may be longer: one frozen type after another, most of it documentation."""

POSIX_MODULES = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
POSIX_NAMES = {
    "os": re.compile(
        r"[fl]?ch(mod|own)|chroot|fork(pty)?|gete?[gu]id|getgroups|getloadavg|getpgid|getpgrp|getsid|kill(pg)?|mk(fifo|nod)"
        r"|nice|posix_spawnp?|sete?[gu]id|setpgid|setsid|sysconf|tc[gs]etpgrp|uname|wait(pid|id|3|4)?|W[A-Z]+"
    ),
    "signal": re.compile(
        "SIG(ALRM|CHLD|CONT|HUP|KILL|PIPE|QUIT|STOP|TSTP|USR1|USR2|WINCH)|alarm|pause|pthread_.*|[gs]etitimer"
        "|siginterrupt|sigpending|sigwait.*"
    ),
    "socket": re.compile("AF_(UNIX|NETLINK|PACKET)"),
}
POSIX_METHODS = {"add_signal_handler", "remove_signal_handler", "chmod", "create_unix_server", "create_unix_connection"}
POSIX_ARGUMENTS = {"preexec_fn"}

TOP = {
    *(".ci", ".gitattributes", ".github", ".gitignore"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "pyproject.toml"),
    *("benchmarks", "docs", "fixtures", "harness", "reports", "requirements", "scripts", "suites", "tests"),
}
"""Everything at the top of the repository."""

NOT_A_ROLE = {
    "platform": "the operating system that the harness runs on, in evidence and record",
}
"""Words that are also the name of a role, where they stand alone in a text; with what they mean under harness/."""


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in FILES}


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """Every module of the house that *file* imports, wherever in the file, with the line."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [name if name in MODULES else str(node.module) for name in names]
        else:
            continue
        yield from ((target, node.lineno) for target in targets if target.split(".")[0] == "harness")


def room(module: str) -> str:
    """The room of a module: ``harness.pack.load`` is in ``pack``; the package itself is below all rooms."""
    return module.partition(".")[2].partition(".")[0]


def floors() -> dict[str, int]:
    """Room to floor, from the line that draws the house in docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    line = re.search(r"^`(errors.*·.*)`$", text, re.MULTILINE)
    assert line, "docs/architecture.md no longer draws the floors"
    drawn = {name: n for n, floor in enumerate(line[1].split(" · "), 1) for name in floor.split(", ")}
    return {"": 0, **drawn, "__main__": len(drawn) + 1}


def graph() -> dict[str, set[str]]:
    return {name: {target for target, _ in imports(file)} - {name} for name, file in MODULES.items()}


def test_every_room_is_drawn() -> None:
    unknown = {room(module) for module in MODULES} - floors().keys()
    assert not unknown, f"docs/architecture.md does not say on which floor these rooms are: {sorted(unknown)}"


@pytest.mark.parametrize("file", FILES, ids=map(module_name, FILES))
def test_a_room_imports_only_from_floors_below(file: Path) -> None:
    here, drawn = room(module_name(file)), floors()
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {here} imports {target}"
        for target, line in imports(file)
        if room(target) not in (here, "errors") and drawn[room(target)] >= drawn[here]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_the_reference_shares_no_code_with_those_who_judge() -> None:
    links = graph()
    reached: set[str] = set()
    new = {module for module in MODULES if room(module) == "reference"}
    while new:
        reached |= new
        new = {target for module in new for target in links.get(module, ())} - reached
    shared = {name for name in reached if room(name) in {"check", "judge"} or name == "harness.scenario.oracle"}
    assert not shared, f"the reference implementations import, directly or not: {sorted(shared)}"


def words(file: Path) -> Iterator[tuple[str, int]]:
    """Every text in *file* that is not documentation: literals, also the fixed parts of formatted ones."""
    documentation = {
        id(node.value)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value, node.lineno


def identifiers(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(file)):
        for attribute in ("id", "attr", "name", "arg"):
            name = getattr(node, attribute, None)
            if isinstance(name, str):
                yield name, getattr(node, "lineno", 0)


@dataclass
class Names:
    """What the packs in suites/ call their own."""

    packs: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    parties: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)

    @cached_property
    def anywhere(self) -> re.Pattern[str]:
        """Message names, pack ids and the word that a pack id starts with, as whole words."""
        stems = {pack.partition("-")[0] for pack in self.packs}
        either = "|".join(map(re.escape, sorted(self.packs | stems | self.messages, key=len, reverse=True)))
        return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])")


def names_of_packs() -> Names:
    names = Names()
    for file in sorted((ROOT / "suites").glob("*/pack.yaml")):
        head = as_text(file)
        parties = head.get("parties", {})
        names.packs.add(head["id"])
        names.roles.update(head.get("roles", {}))
        names.parties.update(parties)
        names.countries.update(facts["country"] for facts in parties.values() if "country" in facts)
        messages = file.with_name("messages.yaml")
        names.messages.update(as_text(messages).get("messages", {}) if messages.exists() else {})
    return names


def as_text(file: Path) -> Any:
    """Read YAML with every scalar as text, so that no name turns into a number or a boolean."""
    return yaml.load(file.read_text("utf-8"), yaml.BaseLoader)


NAMES = names_of_packs()


def is_a_name(text: str) -> str | None:
    """The name of a pack, message, role, party or country that *text* holds."""
    found = NAMES.anywhere.search(text)
    if found:
        return found[0]
    if text in (NAMES.countries | NAMES.parties | NAMES.roles) - NOT_A_ROLE.keys():
        return text
    role, dot, _ = text.partition(".")
    return role if dot and role in NAMES.roles else None


def test_the_packs_are_found() -> None:
    assert NAMES.packs
    assert NAMES.messages
    assert NAMES.roles


@pytest.mark.parametrize("file", FILES, ids=map(module_name, FILES))
def test_the_machine_knows_no_pack(file: Path) -> None:
    wrong = [f"{line}: {name!r} in {text[:80]!r}" for text, line in words(file) if (name := is_a_name(text))]
    wrong += [
        f"{line}: the identifier {name}"
        for name, line in identifiers(file)
        if any(NAMES.anywhere.fullmatch(part) for part in name.split("_"))
    ]
    assert not wrong, f"{file.relative_to(ROOT)} names something of a pack:\n" + "\n".join(wrong)


@pytest.mark.parametrize("file", DATA, ids=lambda file: file.name)
def test_the_data_of_the_machine_know_no_pack(file: Path) -> None:
    assert not NAMES.anywhere.findall(file.read_text("utf-8"))


def lacks(module: str, name: str) -> bool:
    return module in POSIX_NAMES and bool(POSIX_NAMES[module].fullmatch(name))


def posix_only(file: Path) -> Iterator[str]:
    for node in ast.walk(tree(file)):
        where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (f"{where}: {alias.name}" for alias in node.names if alias.name in POSIX_MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            yield from (
                f"{where}: from {module} import {alias.name}"
                for alias in node.names
                if module in POSIX_MODULES or lacks(module, alias.name)
            )
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in POSIX_METHODS or lacks(owner, node.attr):
                yield f"{where}: {owner}.{node.attr}"
        elif isinstance(node, ast.keyword) and node.arg in POSIX_ARGUMENTS:
            yield f"{where}: {node.arg}="


@pytest.mark.parametrize("file", FILES, ids=map(module_name, FILES))
def test_only_the_host_calls_what_windows_lacks(file: Path) -> None:
    if file == HOUSE / "host.py":
        return
    assert not list(posix_only(file))


def translating(file: Path) -> Iterator[str]:
    """Where a text is written whose line ends the system would choose: its digest would not be the same everywhere."""
    for node in ast.walk(tree(file)):
        writes = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "write_text"
        if writes and "newline" not in {keyword.arg for keyword in node.keywords}:
            yield f"{file.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=map(module_name, FILES))
def test_a_text_is_the_same_on_every_system(file: Path) -> None:
    assert not list(translating(file)), "say newline="


@pytest.mark.parametrize("file", FILES, ids=map(module_name, FILES))
def test_a_file_fits_in_a_head(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= LONGER.get(module_name(file), LINES)


def kept(folder: Path) -> set[str]:
    """What git keeps at the top of a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True, check=True)
    return {name.split("/")[0] for name in listed.stdout.split("\0") if name}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only in a checkout")
def test_nothing_that_a_trial_left_behind_is_kept() -> None:
    assert kept(ROOT) == TOP


# The rules above are themselves tested: each of them fires on a house that breaks it.


def test_the_rule_about_names_fires(tmp_path: Path) -> None:
    message, role = sorted(NAMES.messages)[0], sorted(NAMES.roles - NOT_A_ROLE.keys())[0]
    pack, country = sorted(NAMES.packs)[0], sorted(NAMES.countries)[0]
    for text in (message, f"a/{message}.xml", f"{role}.any", role, pack, f"suites/{pack}/x", country):
        assert is_a_name(text), text
    for text in ("", f"{message}x", f"x{message}", f"the {role} says", f"{role}s", "platform", country.lower()):
        assert not is_a_name(text), text
    file = tmp_path / "sample.py"
    file.write_text(f'"""{pack}."""\nx = f"{{y}}/{message}"\n', "utf-8")
    assert [text for text, _ in words(file)] == [f"/{message}"]


@pytest.mark.parametrize(
    "code",
    [
        "import fcntl",
        "def f():\n    from resource import getrusage",
        "from os import fork",
        "import os\nos.kill(1, 9)",
        "import signal\nx = signal.SIGKILL",
        "loop.add_signal_handler(1, f)",
        "path.chmod(0o600)",
        "run(a, preexec_fn=f)",
    ],
)
def test_the_rule_about_posix_fires(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_house.ROOT", tmp_path)
    file = tmp_path / "sample.py"
    file.write_text(code, "utf-8")
    assert len(list(posix_only(file))) == 1


def test_the_rule_about_line_ends_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_house.ROOT", tmp_path)
    file = tmp_path / "sample.py"
    file.write_text("a.write_text(x, 'utf-8')\na.write_text(x, 'utf-8', newline='\\n')\n", "utf-8")
    assert list(translating(file)) == ["sample.py:1"]


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(
        "import harness.errors\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from harness.message import xml\n"
        "def f():\n    from harness.message.path import Path, parse_path\n    import json\n",
        "utf-8",
    )
    assert {target for target, _ in imports(file)} == {
        "harness.errors",
        "harness.message.xml",
        "harness.message.path",
    }
    assert [room(name) for name in ("harness", "harness.errors", "harness.message.xml")] == ["", "errors", "message"]
