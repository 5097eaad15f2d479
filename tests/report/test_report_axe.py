"""The pages in a real browser, under the rules of axe-core: WCAG 2 A and AA, and good practice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html as parser
from small_run import Run

from harness.judge.model import Verdict
from harness.report.html import html
from harness.report.summary import summary_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = next(
    (
        file
        for folder in os.environ.get("NODE_PATH", "").split(os.pathsep)
        if folder and (file := Path(folder) / "axe-core" / "axe.min.js").is_file()
    ),
    None,
)
pytestmark = pytest.mark.skipif(
    not (BROWSER and AXE), reason="Chromium is not installed, or the npm package axe-core is not on NODE_PATH"
)
RUN = """\
for (const each of document.querySelectorAll("details")) each.open = true;
axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify({
    passes: found.passes.length,
    violations: found.violations.map(each => each.id + ": " + each.nodes[0].html.slice(0, 300)),
  });
  document.body.replaceChildren(result);
});
"""


@pytest.fixture(scope="module")
def record(run: Run) -> dict[str, Any]:
    """A record that makes every part of the page appear."""
    made = run.record()
    cases = [{**case, "verdict": verdict.value} for case, verdict in zip(made["cases"], Verdict, strict=False)]
    waiver = {
        "case": cases[0]["id"], "reason": "known", "link": "https://issues.example/1", "author": "Aigul",
        "expires": "2027-01-01", "state": "used", "cases": [cases[0]["id"]],
    }  # fmt: skip
    cases[1]["steps"][0]["messages"][0]["defect"] = "message/too-deep"
    known = {case["id"] for case in cases}
    return {
        **made,
        "cases": [{**case, "control": None} for case in cases],
        "requirements": [{**each, "cases": [*known & set(each["cases"])]} for each in made["requirements"]],
        "waivers": [waiver],
        "teeth": {
            "tool": "1", "pack": {"id": "p", "version": "1", "digest": "sha256:0"},
            "faults": 9, "killed": 8, "variations": 7, "conformant": 7,
        },
        "plan": {**made["plan"], "excluded": [{"id": "x", "rule": "not claimed"}]},
    }  # fmt: skip


@pytest.fixture
def axe(tmp_path: Path) -> Callable[[bytes], dict[str, Any]]:
    def judge(page: bytes) -> dict[str, Any]:
        """What axe-core says about a copy of a page that lets scripts run."""
        assert BROWSER is not None
        assert AXE is not None
        text = page.decode().replace(
            "style-src 'unsafe-inline'", "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        )
        script = AXE.read_text("utf-8").replace("</script", "<\\/script")
        copy = tmp_path / "page.html"
        copy.write_text(text.replace("</body>", f"<script>{script}</script><script>{RUN}</script></body>"), "utf-8")
        command = [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=120000", "--dump-dom", copy.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, timeout=240)
        found = parser.document_fromstring(done.stdout).xpath("//pre[@id='result']/text()")
        assert found, "axe-core did not come to an end"
        return dict(json.loads(found[0]))

    return judge


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_report_is_accessible(language: str, record: dict[str, Any], run: Run, axe: Callable[..., Any]) -> None:
    result = axe(html(record, run.fetch, language))
    assert result["violations"] == []
    assert result["passes"] > 20


def test_the_summary_is_accessible(record: dict[str, Any], axe: Callable[..., Any]) -> None:
    assert axe(summary_page(record))["violations"] == []


def test_the_check_fires(record: dict[str, Any], axe: Callable[..., Any]) -> None:
    broken = summary_page(record).replace(b'<html lang="en"', b"<html").replace(b"--soft: #4a5765", b"--soft: #c0c8d0")
    rules = {each.partition(":")[0] for each in axe(broken)["violations"]}
    assert {"html-has-lang", "color-contrast"} <= rules
