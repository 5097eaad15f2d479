"""Published messages of NCTS Phase 5, judged with the published schemas as the import takes them in.

The table of verdicts: messages of traders 34 right of 34, answers of customs 17 of 17. Of their templates, in which
placeholders stand for values, those of answers still fit the schema (17 of 17), those of traders do not (0 of 34).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.check.offline import examine
from harness.cli.main import main
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.security.trust import make_trust

DATA = Path(__file__).parents[3] / "shared" / "data" / "ncts"
TABLE = {
    ("p5-trader-test-v8-final", "xml"): (34, 34),
    ("p5-responses-v2", "xml"): (17, 17),
    ("p5-trader-test-v8-final", "templates"): (34, 0),
    ("p5-responses-v2", "templates"): (17, 17),
}
AT = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="only on machines with the NCTS schemas beside the checkout")


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """The published schemas, imported over a pack that knows nothing of them."""
    folder = tmp_path_factory.mktemp("ncts")
    assert main(["pack", "new", str(folder / "base")]) == 0
    arguments = ["--extends", str(folder / "base"), "--out", str(folder / "official"), "--others"]
    assert main(["pack", "import", str(DATA / "xsd" / "p5-51.8.6"), *arguments]) == 10
    return load_pack(folder / "official")


def right(pack: Pack, file: Path) -> bool:
    return examine(pack, file.read_bytes(), trust=make_trust((), ()), at=AT).passed


def test_every_published_root_is_there(official: Pack) -> None:
    assert len([name for name in official.messages if name.startswith("CC")]) == 35


@pytest.mark.parametrize(("kind", "expected"), TABLE.items())
def test_the_table_of_verdicts(official: Pack, kind: tuple[str, str], expected: tuple[int, int]) -> None:
    files = sorted((DATA / "samples" / kind[0] / kind[1]).rglob("*.xml"))
    verdicts = [right(official, file) for file in files]
    assert (len(verdicts), sum(verdicts)) == expected


def test_a_wrong_sample_is_found(official: Pack) -> None:
    data = (DATA / "samples" / "p5-responses-v2" / "xml" / "CC004C.xml").read_bytes()
    for old, new in ((b"<messageType>CC004C", b"<messageType>CC999C"), (b"</messageSender>", b"</messageSender><x/>")):
        assert old in data
        found = examine(official, data.replace(old, new), trust=make_trust((), ()), at=AT)
        assert not found.passed
        assert found.findings[0].check == "schema"
