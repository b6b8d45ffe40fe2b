"""The demonstrations print what the documents show, figures aside."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SHOWN = {
    target: block
    for page in PAGES
    for target, block in re.findall(
        r"<!-- (demo[a-z-]*) -->\n```\n(.*?)```\n<!-- /\1 -->", page.read_text(), re.DOTALL
    )
}


def alike(line: str) -> str:
    """A line without its figures: they are not the same to the last digit on every processor."""
    bare = re.sub(r"[─━┃│┏┓┗┛┡┩└┘┬┴┼┳╇]+", " ", line)
    bare = re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{16,}\b", "#", bare)
    # Of a path folder and name: where reports go is the caller's choice.
    bare = re.sub(r"\S*/([\w.-]+/[\w.-]+)$", r"\1", bare)
    return " ".join(re.sub(r"[+-]?\d[\d.,]*", "#", bare).split())


def test_every_demonstration_is_shown():
    targets = re.findall(r"^(demo[a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(SHOWN) == sorted(targets)


@pytest.mark.parametrize("target", sorted(SHOWN))
def test_a_demonstration_prints_what_is_shown(target, tmp_path):
    """It ends well, too: a story that does not end justly fails."""
    command = ["make", "--no-print-directory", target, f"DEMO=--reports {tmp_path}"]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )
    assert result.returncode == 0, result.stdout + result.stderr
    printed = {alike(line) for line in result.stdout.splitlines()}
    missing = [line for line in SHOWN[target].splitlines() if alike(line) not in printed | {"..."}]
    assert not missing, result.stdout
