"""The machines that Souk is made for, and which files of the locked Python packages serve them.

requirements.lock names hashes alone. Which of them is whose wheel stands in requirements.wheels,
one `file name, hash` a line, so that without a network it can be tested that every machine finds
what it needs. After a change of a lock file (uv asks PyPI):

    uv pip compile -q --universal --python-version 3.11 --no-header requirements.in \\
        -c requirements.lock --format pylock.toml -o /tmp/pylock.toml
    python -m tools.machines /tmp/pylock.toml > requirements.wheels
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

PYTHONS = ((3, 11), (3, 12))


@dataclass(frozen=True)
class Machine:
    """system, architecture: as `uname` says them; foundry: npm's name; platforms: of wheels."""

    system: str
    architecture: str
    foundry: str
    platforms: tuple[str, ...]

    def tags(self, python: tuple[int, int]) -> Iterator[Tag]:
        """Tags of wheels that a CPython of this version installs here, best first."""
        yield from cpython_tags(python, platforms=self.platforms)
        yield from compatible_tags(python, f"cp{python[0]}{python[1]}", self.platforms)

    def environment(self, python: tuple[int, int]) -> dict[str, str]:
        """What a requirement's marker is judged by."""
        version = f"{python[0]}.{python[1]}"
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.architecture,
            "platform_python_implementation": "CPython",
            "platform_system": self.system,
            "python_full_version": f"{version}.9",
            "python_version": version,
            "sys_platform": self.system.lower(),
        }


def _manylinux(architecture: str) -> tuple[str, ...]:
    """Platforms of wheels for glibc 2.36 (Debian 12) and older."""
    old = {17: "2014", 12: "2010", 5: "1"}
    names = []
    for minor in range(36, 4, -1):
        names.append(f"manylinux_2_{minor}_{architecture}")
        if minor in old:
            names.append(f"manylinux{old[minor]}_{architecture}")
    return (*names, f"linux_{architecture}")


MACHINES = (
    Machine("Linux", "x86_64", "linux-amd64", _manylinux("x86_64")),
    Machine("Linux", "aarch64", "linux-arm64", _manylinux("aarch64")),
    Machine("Darwin", "arm64", "darwin-arm64", tuple(mac_platforms((14, 0), "arm64"))),
)


def read_lock(path: Path) -> list[tuple[Requirement, set[str]]]:
    """The requirements of a lock file, each with the SHA-256 hashes that may be installed."""
    text = path.read_text().replace("\\\n", " ")
    entries = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        entries.append(
            (
                Requirement(line.partition(" --hash=")[0]),
                set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)),
            )
        )
    return entries


def best_file(names: Iterable[str], machine: Machine, python: tuple[int, int]) -> str | None:
    """The wheel that pip takes of one version's files, or else its source."""
    rank = {tag: number for number, tag in reversed(list(enumerate(machine.tags(python))))}
    best: tuple[int, str] | None = None
    for name in names:
        if name.endswith(".whl"):
            ranks = [rank[tag] for tag in parse_wheel_filename(name)[3] if tag in rank]
        else:
            ranks = [len(rank)]
        if ranks and (best is None or min(ranks) < best[0]):
            best = (min(ranks), name)
    return best[1] if best else None


def name_and_version(file: str) -> tuple[str, str]:
    """Name, normalised, and version of a wheel or a source archive, by its file name."""
    parsed = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
    return canonicalize_name(parsed[0]), str(parsed[1])


def main() -> None:
    """Print which files serve the machines, out of uv's pylock.toml."""
    chosen: dict[str, str] = {}
    for package in tomllib.loads(Path(sys.argv[1]).read_text())["packages"]:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        hashes = {file["url"].rpartition("/")[2]: file["hashes"]["sha256"] for file in files}
        for machine in MACHINES:
            for python in PYTHONS:
                best = best_file(hashes, machine, python)
                if best:
                    chosen[best] = hashes[best]
    for name, digest in sorted(chosen.items()):
        print(name, digest)


if __name__ == "__main__":
    main()
