"""Any party's command as a Silverback bot: started, woken at each block, watched, and ended.

    SOUK_PARTY=party.toml silverback run party --runner bots.party:PartyRunner

The file says what the party does, as bots/party.example.toml shows. The party itself is the command
of `ape run`: it builds its role from the chain at each start, and what it sends is sent once, so a
block that comes twice, or not at all, changes nothing. The runner ends the bot with its party.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from ape import chain
from ape.logging import logger
from silverback import SilverbackBot
from silverback.main import TaskData
from silverback.runner import PollingRunner
from silverback.state import Datastore, StateSnapshot
from silverback.types import SilverbackID

from bots.command import PartyThread
from scripts._stage.chain import poll_seconds
from scripts._stage.errors import PEOPLES_ERRORS, reason_of

bot = SilverbackBot()
party = PartyThread.from_file(Path(os.environ.get("SOUK_PARTY", "party.toml")))


@bot.on_startup()
def begin(_state: Any) -> None:
    """The party begins, or goes on where it was."""
    party.start()


@bot.on_(chain.blocks)
def on_block(block: Any) -> dict[str, int]:
    """The party looks at the chain; how it stands is what Silverback records of this block."""
    party.wake()
    return party.metrics(block.timestamp)


@bot.on_shutdown()
def end() -> None:
    """The party ends once it has done what it is at."""
    party.stop()


class Forgetful(Datastore):
    """Keeps nothing between two starts: the chain tells all."""

    async def init(self, _bot: SilverbackID) -> StateSnapshot | None:
        """No state is there."""

    async def save(self, _snapshot: StateSnapshot) -> None:
        """None is kept."""


class PartyRunner(PollingRunner):
    """Silverback's own, which ends when its party does, and tells by its exit status whether that
    failed.

    It looks for blocks as often as a party does and waits for a node that is away, where Ape's own
    polling asks a local node without a pause, and gives up after ten seconds without a block.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.datastore = Forgetful()

    left_early = False
    """Whether it ended before the party did, and nobody asked it to."""

    async def _block_task(self, task_data: TaskData) -> None:
        seen = None
        while not party.ended:
            try:
                block = await asyncio.to_thread(chain.provider.get_block, "latest")
            except PEOPLES_ERRORS as error:
                logger.warning(f"the node does not answer: {reason_of(error)}")
            else:
                if block.hash != seen:
                    seen = block.hash
                    self._runtime_task_group.create_task(self._told(task_data, block))
            await asyncio.sleep(poll_seconds())
        logger.info("the party is over")
        self.shutdown_event.set()

    async def _told(self, task_data: TaskData, block: Any) -> None:
        """Tells of a block. What is known of it may be gone already, and the party goes on."""
        try:
            await self.run_task(task_data, block)
        except Exception as error:
            why = reason_of(error) or type(error).__name__
            logger.warning(f"nobody was told of block {block.number}: {why}")

    async def shutdown(self) -> None:
        self.left_early = not party.ended and not self.shutdown_event.is_set()
        await super().shutdown()

    async def run(self) -> None:
        """Raises SystemExit where the party failed, or this ended before it did."""
        await super().run()
        if party.failure or self.left_early:
            sys.exit(1)
