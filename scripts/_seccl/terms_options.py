"""What the command line says of a session's terms, of `ape run federate` and `ape run serve`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import ape
import click
import torch

from offchain.crypto.settlement import SHORTEST_WINDOW
from offchain.seccl.accountant import noise_for
from offchain.seccl.announcement import Announcement
from offchain.seccl.architectures import factory_named
from offchain.seccl.description import Description, voting_times
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.likeness import Likeness
from offchain.seccl.parameters import Layout, initial_model, model_digest
from offchain.seccl.training import TrainingSettings
from scripts._stage.money import parse_token

BOND = 10**15
"""Wei that a challenge costs when it is answered, more than an answer's gas."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class TermsOptions:
    """One field an option; only what JSON has."""

    rounds: int
    winners: float
    posts: str
    epochs: int
    batch: int
    learning_rate: float
    share: float
    model: str
    privacy: float | None
    delta: float
    clip: float
    ballots: str
    screen: bool
    stake: str
    token: str | None
    hours: float
    seed: int
    licence: str

    def stake_each(self, members: int) -> int:
        """What the server loses to each of so many members, in wei or in the token's units.

        Raises ClickException.
        """
        try:
            amount = int(ape.convert(self.stake, int))
        except Exception as error:  # whatever the text makes a converter raise
            raise click.ClickException(
                f"stake: {self.stake!r} is no amount, as 0.1 ether or 5 gwei"
            ) from error
        if not 0 <= amount * members < 2**96:
            raise click.ClickException(
                f"stake: {self.stake} to each of {members} members must be 0 to 2^96 - 1 wei in all"
            )
        return amount

    def bond(self, stake: int) -> int:
        """What a question costs that is answered, in the same: of the native coin more than an
        answer's gas, of a token a hundredth of a member's share."""
        return min(BOND, stake) if self.token is None else stake // 100

    @property
    def window(self) -> int:
        """Seconds for uploads, and for evaluations."""
        return round(self.hours * 3600)

    def settings(self, samples: Iterable[int]) -> TrainingSettings:
        """How members train. samples: how many images one may have; noise is enough for each."""
        plain = TrainingSettings(self.batch, self.learning_rate, self.epochs, self.share)
        if self.privacy is None:
            return plain
        # One for all, so that also who holds fewest images spends no more.
        enough = max(
            noise_for(self.privacy, sampling, self.rounds, self.delta)
            for sampling in {plain.sampling(count) for count in samples}
        )
        privacy = ImagePrivacy(self.clip, enough)
        return TrainingSettings(self.batch, self.learning_rate, self.epochs, self.share, privacy)

    def announced(
        self,
        server: str,
        consensus: str,
        task: bytes,
        classes: int,
        shape: Shape,
        privacy: ImagePrivacy | None,
        members: tuple[int, int],
        times: tuple[int, int],
    ) -> Announcement:
        """What a server offers.

        server, consensus: 0x addresses of itself and of the factory. task: digest in the CID of
        the task. members: the fewest and the most. times: when applications end and rounds start.
        Raises ClickException, DocumentError, ModelError.
        """
        factory = factory_named(self.model, classes, shape, trusted=self.model)
        layout, first = Layout.of(factory()), initial_model(factory, self.seed)
        stake = self.stake_each(members[1])
        batched = self.posts == "batch"
        return Announcement(
            server=server,
            least=members[0],
            most=members[1],
            until=times[0],
            start=times[1],
            rounds=self.rounds,
            upload_time=self.window,
            evaluation_time=self.window,
            response_time=max(SHORTEST_WINDOW, self.window // 8),
            batched=batched,
            stake=stake,
            bond=self.bond(stake),
            token=parse_token(self.token),
            elected=self.winners,
            about=self._about(consensus, task, classes, shape, privacy, layout, first),
        )

    def _about(
        self,
        consensus: str,
        task: bytes,
        classes: int,
        shape: Shape,
        privacy: ImagePrivacy | None,
        layout: Layout,
        first: torch.Tensor,
    ) -> Description:
        return Description(
            members=(),
            consensus=consensus,
            winners=0,
            quorum=0,
            ballots=self.ballots,
            **voting_times(self.window, self.ballots),
            screen=Likeness() if self.screen else None,
            parameters=layout.total,
            share=self.share,
            network=self.model,
            model=model_digest(layout, first),
            classes=classes,
            shape=shape,
            seed=self.seed,
            image_privacy=privacy,
            batch=self.batch,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            task=task.hex(),
        )
