from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.pack.model import Expectation, Maker, Origin, Outcome


def test_the_tables_of_a_pack(folder: Path) -> None:
    pack = load_pack(folder)
    assert (pack.id, pack.version, pack.format, pack.envelope, pack.identify) == (
        "neighbours", "1.0", "json", "none", "target"
    )  # fmt: skip
    assert list(pack.parties) == ["customs.export", "customs.import"]
    assert pack.parties["customs.import"].position == "import"
    assert pack.parties["customs.import"].facts["country"] == "XB"
    assert pack.pools["carriers"][0] == "NB-CARRIER-01"
    assert pack.timers == {"answer": timedelta(seconds=10), "reaction": timedelta(seconds=1)}
    assert pack.values["consignment"].make == Maker("pattern", "XA26@@######")
    assert pack.values["goods"].make == Maker("golden")
    assert pack.extends == ()
    assert pack.roots == (folder,)
    assert pack.fixtures == folder / "golden"
    names = [
        "arrival-of-another-vehicle.yaml",
        "arrival-of-unknown.yaml",
        "body-altered.yaml",
        "movement.yaml",
        "two-movements.yaml",
    ]
    assert [file.name for file in pack.scenarios] == names


def test_messages_and_their_files(folder: Path) -> None:
    messages = load_pack(folder).messages
    notice, result = messages["notice"], messages["notice-result"]
    assert (notice.sender, notice.answer, notice.method, notice.target) == (
        "customs",
        "notice-result",
        "POST",
        "notices",
    )
    assert notice.bindings["goods"].fields["mass"] == "grossMass"
    assert notice.schema == folder / "schemas" / "notice.json"
    assert result.answers == "notice"
    assert result.accepted == ("result", ("accepted",))
    assert result.golden["refused"] == folder / "golden" / "notice-result-refused.json"
    assert result.errors is not None
    assert result.errors.each == "errors[*]"


def test_cells_of_the_life_cycle(folder: Path) -> None:
    pack = load_pack(folder)
    guard = pack.rules_by_message["arrival"].guards[0]
    assert guard.cells["announced"].refuse is None
    unknown = guard.cells["unknown"]
    assert unknown.refuse == Outcome("error", "L02", "/consignment/number")
    assert (unknown.requirement, unknown.told) == ("NB-ARRIVAL-UNKNOWN", "NB-TOLD")
    assert unknown.source == Origin("assumed", "invented for the tests")
    lines = (folder / "lifecycle.yaml").read_text().splitlines()
    assert unknown.where.line is not None
    assert lines[unknown.where.line - 1].strip() == "unknown:"
    duplicate = pack.rules_by_message["notice"].duplicate
    assert duplicate is not None
    assert duplicate.permitted == (Outcome("error", "L01"),)


def test_named_outcomes_are_expanded(folder: Path) -> None:
    defect = load_pack(folder).defects["signature/body-altered"]
    assert defect.expectation == Expectation(
        (
            Outcome("error", "S01"),
            Outcome("http", "4xx"),
            Outcome("http", "5xx"),
            Outcome("tls"),
            Outcome("closed"),
        )
    )


def test_security_of_a_pack(folder: Path) -> None:
    security = load_pack(folder).security
    assert (security.style, security.soap, security.signed) == ("jws", None, ("body",))
    assert security.tolerance == timedelta(minutes=5)
    assert security.digests == ("sha256",)


MISTAKES = [
    # file, what is written there, what is written instead, text of the line that is named, words of the message
    ("pack.yaml", "format: json", "formt: json", "formt: json", ["Did you mean 'format'?"]),
    ("pack.yaml", "fixtures: ./golden", "fixtures: ./goldn", "./goldn", ["no folder './goldn'"]),
    ("pack.yaml", "fixtures: ./golden", "fixtures: ../x", "../x", ["no folder '../x'"]),
    ("pack.yaml", "  customs.import:", "  customs.imprt:", "customs.imprt", ["Did you mean 'customs.import'?"]),
    ("pack.yaml", "[export, import]", "[export, import, transit]", "parties:", ["'customs.transit' has no facts"]),
    ("pack.yaml", "reaction: 1s", "reaction: 1 s", "reaction: 1 s", ["'1 s' is not right", "500ms"]),
    ("pack.yaml", "  refused-as-unreadable:", "  closed:", "  closed:", ["'closed' is an outcome already"]),
    ("pack.yaml", "{tls: refused}", "{tls: refused, http: 403}", "refused-by-security", ["tls exclude each other"]),
    ("pack.yaml", "{http: 4xx}, {http: 5xx}, {tls", "clsed, {http: 5xx}, {tls", "clsed", ["Did you mean 'closed'?"]),
    (
        "messages.yaml",
        "mode:        {owner: customs.export",
        "mode:        {owner: custms.export",
        "custms",
        ["'customs.export'?"],
    ),
    ("messages.yaml", "{pool: carriers}", "{pool: carrier}", "{pool: carrier}", ["no pool", "'carriers'?"]),
    ("messages.yaml", "{fact: sender.id}", "{fact: sendr.id}", "sendr.id", ["no party", "'sender'?"]),
    ("messages.yaml", "{fact: sender.office}", "{fact: sender.ofice}", "ofice", ["no fact", "'office'?"]),
    ("messages.yaml", "make: reference", "make: refrence", "refrence", ["'refrence' is not right"]),
    ("messages.yaml", 'make: {fixed: "3"}', "make: {facts: custom.*.id}", "custom.*.id", ["no role 'custom'"]),
    ("messages.yaml", 'make: {fixed: "3"}', "make: {facts: customs.*.idd}", "customs.*.idd",
     ["fact of customs.export"]),
    ("messages.yaml", "schema: notice.json", "schema: notis.json", "notis.json", ["no file 'notis.json'"]),
    ("messages.yaml", "schema: notice.json", "schema: ../pack.yaml", "../pack.yaml", ["no file '../pack.yaml'"]),
    ("messages.yaml", "golden: arrival.json", "golden: arival.json", "arival.json", ["no file 'arival.json'"]),
    ("messages.yaml", "      plate: vehicle/plate\n      mode", "      plat: vehicle/plate\n      mode", "plat: ",
     ["no entry in 'values' for 'plat'", "'plate'?"]),
    ("messages.yaml", "[consignment]\n    redact", "[consignmnt]\n    redact", "[consignmnt]", ["'consignment'?"]),
    ("messages.yaml", "answer: arrival-result", "answer: arival-result", "arival-result", ["no message"]),
    ("messages.yaml", "answers: arrival", "answers: notice", "answer: arrival-", ["not say that it answers 'arrival'"]),
    ("messages.yaml", "answer: arrival-result", "method: PUT", "answers: arrival", ["'arrival-result' answers it"]),
    ("messages.yaml", "answers: arrival", "answers: arrival\n    answer: notice", "arrival-result:", ["not both"]),
    ("messages.yaml", "target: arrivals", "target: notices", "  arrival:", ["cannot be told from 'notice'"]),
    ("messages.yaml", ", refused: arrival-result-refused.json", "", "  arrival-result:", ["both, or neither"]),
    ("messages.yaml", "answer: arrival-result", "answer: arrival-result\n    accepted: {path: a, values: [b]}",
     "  arrival:", ["only an answer"]),
    ("requirements.yaml", "bearer: customs", "bearer: customer", "customer", ["no role", "'customs'?"]),
    ("requirements.yaml", "level: MUST", "level: SHALL", "SHALL", ["one of MUST, SHOULD, MAY"]),
    ("requirements.yaml", 'source: "assumed: invented', 'source: "guessed: invented', "guessed", ["inferred: "]),
    ("requirements.yaml", "checks: [correlation]", "checks: [correlation]\n    messages: [notise]", "notise",
     ["'notice'?"]),
    ("lifecycle.yaml", "key: [consignment]", "key: [consignmnt]", "consignmnt", ["no value", "'consignment'?"]),
    ("lifecycle.yaml", "initial: unknown", "initial: unkown", "unkown", ["no state", "'unknown'?"]),
    ("lifecycle.yaml", "      arrived: it has arrived", "      arrived: it has arrived\n      lost: it is lost",
     "states:\n          unknown: {proceed",
     ["while consignment is lost", "a cell for each of"]),
    ("lifecycle.yaml", "          announced: {proceed", "          anounced: {proceed", "anounced", ["'announced'?"]),
    ("lifecycle.yaml", "  arrival:", "  arival:", "arival:", ["no message 'arival'"]),
    ("lifecycle.yaml", "  arrival:", "  arrival-result:", "arrival-result:", ["is an answer", "'arrival'"]),
    ("lifecycle.yaml", "requirement: NB-ARRIVAL-OK", "requirement: NB-ARRIVAL-K", "NB-ARRIVAL-K,", ["NB-ARRIVAL-OK"]),
    ("lifecycle.yaml", "told: NB-TOLD", "told: NB-TELD", "told: NB-TELD", ["'NB-TOLD'?"]),
    ("lifecycle.yaml", "value: plate", "value: plat", "value: plat", ["no bound name of arrival 'plat'"]),
    ("lifecycle.yaml", "consignment: arrived}", "consignment: arived}", "arived}", ["no state 'arived'"]),
    ("lifecycle.yaml", "consignment: arrived}", "consinment: arrived}", "consinment", ["no object 'consinment'"]),
    ("lifecycle.yaml", 'permitted: [{error: "L03"}]', "permitted: [L03]", "[L03]", ["no outcome 'L03'"]),
    ("lifecycle.yaml", "{proceed: true, requirement: NB-NOTICE-OK,", "{requirement: NB-NOTICE-OK,", "unknown: {req",
     ["exactly one of the keys proceed, error, fault"]),
    ("constraints.yaml", "  repeated:", "  repeatd:", "repeatd", ["Did you mean 'repeated'?"]),
    ("constraints.yaml", "list: transport-mode", "list: transport-mod", "transport-mod,", ["'transport-mode'?"]),
    ("constraints.yaml", "message: notice,", "message: notise,", "notise", ["'notice'?"]),
    ("constraints.yaml", "kind: sum", "kind: sums", "kind: sums", ["Did you mean 'sum'?"]),
    ("constraints.yaml", 'tolerance: "0.001"', "tolerance: 0.001", "0.001", ["is not a text"]),
    ("constraints.yaml", "total: consignment/grossMass", "totl: consignment/grossMass", "totl", ["'total'?"]),
    ("constraints.yaml", "messages: [notice]", "messages: [notise]", "notise", ["no message"]),
    ("constraints.yaml", 'expect: [{error: "M01"}]', "expect: [{pointer: a}]", "pointer: a", ["names no outcome"]),
    ("constraints.yaml", 'expect: [{error: "M01"}]', "expect: [{http: 400, pointer: a}]", "pointer: a",
     ["only an error has a pointer"]),
    ("codelists/transport-mode.yaml", "id: transport-mode", "id: mode", "id: mode", ["not the name of the file"]),
    ("codelists/transport-mode.yaml", '"1": Maritime', '"1": 1', '"1": 1', ["1 is not a text"]),
    ("security.yaml", "style: jws", "style: wss", "style: wss", ["does not fit to the envelope 'none'"]),
    ("security.yaml", "[refused-by-security]", "[refused-by-securty]", "refused-by-securty",
     ["'refused-by-security'?"]),
    ("security.yaml", "signature/missing:", "signatur/missing:", "signatur/missing", ["begins with"]),
    ("security.yaml", "answer: {expect: [refused-by-security]}", "answer: {expect: [closed], http: 403}", "http: 403",
     ["'expect' and 'http' exclude each other"]),
    ("security.yaml", "told: NB-TOLD", "told: NB-TELD", "NB-TELD", ["no requirement"]),
    ("faults.yaml", "requirement: NB-SIGNED", "requirement: NB-SIGND", "NB-SIGND", ["'NB-SIGNED'?"]),
    ("faults.yaml", "role: customs", "role: platform", "role: platform", ["no role"]),
    ("faults.yaml", "{message: notice, defect", "{message: notise, defect", "notise", ["no message 'notise'"]),
    ("faults.yaml", "defect: signature/missing", "defect: signature/mising", "mising", ["no defect"]),
    ("messages.yaml", "make: {fact: sender.office}", "make: {where: {sender.office: transport-mod}}", "transport-mod}",
     ["no code list", "'transport-mode'?"]),
    ("messages.yaml", "make: {fact: sender.office}", "make: {where: {sender.ofice: transport-mode}}", "ofice",
     ["no fact", "'office'?"]),
    ("faults.yaml", 'code: "L02"', "code: 12", "code: 12", ["12 is not a text", 'Put it in quotes: "12".']),
    ("faults.yaml", 'as: "L03"', "as: 13", "as: 13", ["13 is not a text", 'Put it in quotes: "13".']),
    ("faults.yaml", "state: unknown,", "state: unkown,", "unkown", ["no state 'unkown'"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "line", "words"), MISTAKES)
def test_a_mistake_is_told_with_file_and_line(
    folder: Path, name: str, old: str, new: str, line: str, words: list[str]
) -> None:
    file = folder / name
    change(file, old, new)
    text = file.read_text("utf-8")
    with pytest.raises(ConfigurationFault) as caught:
        load_pack(folder)
    where = caught.value.where
    assert where is not None
    assert where.file == file
    assert where.line == text.count("\n", 0, text.index(line)) + 1, str(caught.value)
    for word in words:
        assert word in str(caught.value)


def add_clerk(folder: Path) -> None:
    """A second role, which no message knows yet."""
    head = folder / "pack.yaml"
    text = head.read_text().replace("roles:\n", "roles:\n  clerk: {title: A clerk}\n")
    head.write_text(text.replace("parties:\n", "parties:\n  clerk: {id: C}\n"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_messages_must_have_what_they_are_told_by(folder: Path) -> None:
    change(folder / "pack.yaml", "identify: target", "identify: root")
    with pytest.raises(ConfigurationFault, match="'notice' has no 'root'"):
        load_pack(folder)


def test_an_answer_goes_the_other_way(folder: Path) -> None:
    add_clerk(folder)
    answer = "\n    answer: arrival-result"
    change(folder / "messages.yaml", f"to: customs.export{answer}", f"to: clerk{answer}")
    with pytest.raises(ConfigurationFault, match="goes the other way") as caught:
        load_pack(folder)
    assert caught.value.expected == "from: clerk, to: customs"


def test_a_demand_must_be_on_the_right_role(folder: Path) -> None:
    add_clerk(folder)
    change(folder / "requirements.yaml", "bearer: customs", "bearer: clerk")
    with pytest.raises(ConfigurationFault, match="is a demand on clerk") as caught:
        load_pack(folder)
    assert caught.value.where is not None
    assert caught.value.where.path == "messages/notice/guards/0/states/unknown/requirement"


REACTION = """
reactions:
  - id: tell-neighbour
    on: arrival
    by: customs
    send: notice
    to: customs.*
    within: reaction
    requirement: NB-CONTENT
    source: "assumed: invented for the tests"
"""


def test_a_pack_with_jws_names_its_algorithms(folder: Path) -> None:
    change(folder / "security.yaml", "signatures: [ES256, PS256, RS256]\n", "")
    with pytest.raises(ConfigurationFault, match="'signatures' is missing"):
        load_pack(folder)


def test_reactions_are_read(folder: Path) -> None:
    with (folder / "lifecycle.yaml").open("a") as file:
        file.write(REACTION)
    (reaction,) = load_pack(folder).reactions
    assert (reaction.on, reaction.by, reaction.send, reaction.to) == ("arrival", "customs", "notice", "customs.*")
    assert not reaction.nested
    assert reaction.unanswered is None


def test_a_reaction_says_how_its_trigger_is_answered_when_it_is_not_answered_itself(folder: Path) -> None:
    more = "    nested: true\n    unanswered: {expect: [refused-by-security, closed], permitted: [{http: 4xx}]}\n"
    with (folder / "lifecycle.yaml").open("a") as file:
        file.write(REACTION + more)
    (reaction,) = load_pack(folder).reactions
    assert reaction.unanswered is not None
    assert {each.kind for each in reaction.unanswered.expect} > {"closed"}
    assert reaction.unanswered.permitted == (Outcome("http", "4xx"),)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("on: arrival", "on: arival", "no message 'arival'"),
        ("by: customs", "by: platform", "no role 'platform'"),
        ("to: customs.*", "to: customs.transit", "no party 'customs.transit'"),
        ("within: reaction", "within: reacton", "no timer 'reacton'"),
        ("within: reaction", "within: reaction\n    nested: true\n    after: refused", "neither be nested nor forward"),
        ("requirement: NB-CONTENT", "received: NB-NONE", "no requirement 'NB-NONE'"),
        ("within: reaction", "within: reaction\n    unanswered: closed", "does not wait for that to 'notice'"),
        ('"assumed: invented for the tests"\n', '"assumed: x"\n' + REACTION.partition("reactions:\n")[2], "twice"),
    ],
)
def test_reactions_are_checked(folder: Path, old: str, new: str, word: str) -> None:
    with (folder / "lifecycle.yaml").open("a") as file:
        file.write(REACTION.replace(old, new, 1))
    with pytest.raises(ConfigurationFault, match=word) as caught:
        load_pack(folder)
    assert caught.value.where is not None
    assert caught.value.where.line is not None


def test_a_message_cannot_go_a_way_it_does_not_go(folder: Path) -> None:
    add_clerk(folder)
    with (folder / "lifecycle.yaml").open("a") as file:
        file.write(REACTION.replace("by: customs", "by: clerk").replace("    requirement: NB-CONTENT\n", ""))
    with pytest.raises(ConfigurationFault, match="goes from customs to customs, not from clerk"):
        load_pack(folder)


@pytest.mark.parametrize("name", ["messages", "requirements", "lifecycle", "security"])
def test_a_pack_must_be_complete(folder: Path, name: str) -> None:
    (folder / f"{name}.yaml").unlink()
    with pytest.raises(ConfigurationFault, match=f"no {name}.yaml"):
        load_pack(folder)


def test_constraints_and_faults_may_be_left_out(folder: Path) -> None:
    (folder / "constraints.yaml").unlink()
    (folder / "faults.yaml").unlink()
    pack = load_pack(folder)
    assert (pack.constraints, pack.coded, pack.rules, pack.faults) == ({}, (), {}, {})


def test_only_what_the_harness_can_send_may_be_demanded(folder: Path) -> None:
    name = next(iter(load_pack(folder).requirements))
    text = "variations:\n  other:\n    title: T.\n    legal: L.\n    hook: {hook}\n    requirement: {name}\n"
    file = folder / "variations.yaml"
    file.write_text(text.format(hook="wire", name=name))
    assert load_pack(folder).variations["other"].requirement == name
    for hook, named, words in (("delay", name, "sends no messages"), ("wire", "NOT-THERE", "NOT-THERE")):
        file.write_text(text.format(hook=hook, name=named))
        with pytest.raises(ConfigurationFault, match=words):
            load_pack(folder)


def test_the_digest_is_of_names_and_bytes(folder: Path, tmp_path: Path) -> None:
    first = load_pack(folder).digest
    (folder / "teeth.yaml").write_text(
        f'tool: "1"\npack: {{id: other, version: "1", digest: "sha256:{"0" * 64}"}}\n'
        "faults: {tried: 3, killed: 2}\nvariations: {tried: 1, conformant: 1}\n"
    )
    assert load_pack(folder).digest == first, "what was shown with a pack is told by it, and no part of it"
    teeth = load_pack(folder).teeth
    assert teeth is not None
    assert (teeth.pack.id, teeth.faults, teeth.killed) == ("other", 3, 2)
    (folder / "teeth.yaml").unlink()
    assert first.startswith("sha256:")
    copy = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    (copy / ".editor").write_text("hidden files do not count")
    assert load_pack(copy).digest == first
    sample = copy / "golden" / "notice.json"
    sample.write_bytes(sample.read_bytes() + b"\n")
    assert load_pack(copy).digest != first
    (folder / "golden" / "notice.json").rename(folder / "golden" / "notice2.json")
    change(folder / "messages.yaml", "golden: notice.json", "golden: notice2.json")
    assert load_pack(folder).digest != first


def test_demands_on_values(folder: Path) -> None:
    extra = """
    listed:
      - {value: plate, pool: carriers, error: "L04", source: "assumed: for the tests"}
    unique:
      - {value: plate, object: consignment, within: [consignment], error: "L04", source: "assumed: for the tests"}
"""
    change(
        folder / "lifecycle.yaml",
        "    effects: {consignment: arrived}\n",
        "    effects: {consignment: arrived}" + extra,
    )
    rules = load_pack(folder).rules_by_message["arrival"]
    assert [(each.value, each.pool) for each in rules.listed] == [("plate", "carriers")]
    assert [(each.value, each.object, each.within) for each in rules.unique] == [
        ("plate", "consignment", ("consignment",))
    ]
    assert len(rules.cells) == 7
    change(folder / "lifecycle.yaml", "pool: carriers", "pool: carrier")
    with pytest.raises(ConfigurationFault, match="no pool 'carrier'"):
        load_pack(folder)


REFUSALS = """
refusals:
  notice-result: {list: transport-mode, codes: ["3"], told: NB-TOLD, source: "assumed: invented for the tests"}
"""


def test_the_codes_of_an_answer_are_read_with_their_meaning(folder: Path) -> None:
    with (folder / "constraints.yaml").open("a") as file:
        file.write(REFUSALS)
    refusals = load_pack(folder).refusals["notice-result"]
    assert refusals.meanings == {"3": load_pack(folder).codelists["transport-mode"].codes["3"]}
    assert refusals.told == "NB-TOLD"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("notice-result", "notice", "no answer 'notice'"),
        ("list: transport-mode", "list: modes", "no code list 'modes'"),
        ('["3"]', '["33"]', "no code '33'"),
        ("NB-TOLD", "NB-NOBODY", "no requirement 'NB-NOBODY'"),
    ],
)
def test_the_codes_of_an_answer_are_checked(folder: Path, old: str, new: str, word: str) -> None:
    with (folder / "constraints.yaml").open("a") as file:
        file.write(REFUSALS.replace(old, new, 1))
    with pytest.raises(ConfigurationFault, match=word) as caught:
        load_pack(folder)
    assert caught.value.where is not None
    assert caught.value.where.line is not None
