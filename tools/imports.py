"""The Solidity files that a file imports."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_IMPORT = re.compile(r'^import\s+(?:[^"]*\s)?"([^"]+)";', re.MULTILINE)


def closure(sources: dict[str, str], root: Path = ROOT) -> dict[str, str]:
    """``sources``, text by path, and all files that they import, directly or not.

    root: the project's folder, from which paths count.
    """
    known = dict(sources)
    pending = list(sources)
    while pending:
        path = pending.pop()
        for target in _IMPORT.findall(known[path]):
            name = _resolve(path, target)
            if name not in known:
                known[name] = located(name, root).read_text()
                pending.append(name)
    return known


def located(name: str, root: Path) -> Path:
    """Where the file lies that Solidity knows as ``name``: in the project, or in an npm package."""
    own = root / name
    return own if own.is_file() else root / "node_modules" / name


def _resolve(importer: str, target: str) -> str:
    """The path that ``target`` means in the file at ``importer``."""
    if not target.startswith("."):
        return target
    parts: list[str] = []
    for part in (*Path(importer).parent.parts, *target.split("/")):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
