"""Letters between roles on one machine: a folder with a file for each, in the order they came.

Another mail could carry the same letters; who carries them answers for their sender.
"""

from __future__ import annotations

from pathlib import Path

from offchain.files import write_whole
from offchain.mde.letters import Letter


class Mail:
    """The letters in `folder`. What was carried once stays, whoever is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def carry(self, letter: Letter) -> None:
        """Puts a letter behind all others."""
        number = len(list(self.folder.glob("*.letter")))
        # By its sender too: two processes that write at once do not write the same file.
        write_whole(self.folder / f"{number:06d}-{letter.sender}.letter", letter.to_bytes())

    def read(self) -> list[Letter]:
        """All letters, the first one first. Raises DocumentError where one is none."""
        return [
            Letter.from_bytes(file.read_bytes()) for file in sorted(self.folder.glob("*.letter"))
        ]
