"""Letters of buyers and sellers, over a post that carries and signs them."""

from __future__ import annotations

from collections.abc import Callable

from offchain.mde.letters import Letter, Reading
from offchain.post import Post


class Mail:
    """What the parties of one order, or of a whole rehearsal, told each other.

    post: gives the post of an account of one's own, by its 0x address.
    """

    def __init__(self, *accounts: str, post: Callable[[str], Post] | None = None) -> None:
        self._posts = {account: post(account) for account in accounts if post}
        self._reading = Reading()

    @property
    def is_empty(self) -> bool:
        """Whether it is of nobody."""
        return not self._posts

    def carry(self, letter: Letter) -> None:
        """Sends a letter of an account of one's own."""
        self._posts[letter.sender].send(letter.body())

    def read(self) -> list[Letter]:
        """All letters, the first one first; what is no letter of MDE's is passed over."""
        first = next(iter(self._posts.values()), None)
        return self._reading.letters(first.letters()) if first else []

    def close(self) -> None:
        """Ends carrying."""
        for one in self._posts.values():
            one.close()
