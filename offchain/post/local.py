"""Post on one machine, where who carries the letters is trusted: in memory, or in a folder."""

from __future__ import annotations

import re
from pathlib import Path

from offchain.files import write_whole
from offchain.post.letter import MAX_BODY_BYTES, Letter, check_body

_NAME = re.compile(r"(\d{6,})-(0x[0-9a-fA-F]{40})\.letter")


class MemoryPost:
    """The post of one of several parties in one process.

    shared: the letters of all, the same list for each of them.
    """

    def __init__(self, shared: list[Letter], address: str) -> None:
        self._shared, self.address = shared, address

    def send(self, body: bytes) -> Letter:
        check_body(body)
        number = sum(one.sender == self.address for one in self._shared)
        self._shared.append(Letter(self.address, number, body))
        return self._shared[-1]

    def letters(self) -> list[Letter]:
        return list(self._shared)

    def close(self) -> None:
        pass


class FolderPost:
    """The post of one of several parties on one machine: a file for each letter, in their order.

    What is in the folder and no letter is passed over.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self.address = folder, address
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, body: bytes) -> Letter:
        check_body(body)
        there = self._files()
        number = sum(sender == self.address for _, sender, _ in there)
        place = 1 + max((place for place, _, _ in there), default=-1)
        # By its sender too: two processes that write at once do not write the same file.
        write_whole(self._folder / f"{place:06d}-{self.address}.letter", body)
        return Letter(self.address, number, body)

    def letters(self) -> list[Letter]:
        found: list[Letter] = []
        numbers: dict[str, int] = {}
        for _, sender, path in self._files():
            number = numbers[sender] = numbers.get(sender, -1) + 1
            found.append(Letter(sender, number, path.read_bytes()))
        return found

    def close(self) -> None:
        pass

    def _files(self) -> list[tuple[int, str, Path]]:
        """Place, sender and file of each letter, in order."""
        named = ((_NAME.fullmatch(path.name), path) for path in self._folder.iterdir())
        return sorted(
            (int(name[1]), name[2], path)
            for name, path in named
            if name and path.is_file() and path.stat().st_size <= MAX_BODY_BYTES
        )
