"""All that took part in a session, and the checks that its story ended justly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offchain.crypto.settlement import NATIVE
from offchain.data.originals import Dataset, originals_of
from offchain.data.shards import PackedShards
from offchain.hyperx.session import Session
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.stories import Story
from scripts._stage.money import balance_of
from scripts._stage.table import Seat


@dataclass(frozen=True)
class Contender:
    """One provider of a demonstration, and the truth about its data.

    Attributes:
        seat: its place at the table.
        data: what it sells, pictures as PNG files.
        corruption: what was done to it.
        culprit: whether it is the one that misbehaves.
    """

    seat: Seat
    data: Dataset
    corruption: str
    culprit: bool


@dataclass(frozen=True)
class Scene:
    """All that took part in a session.

    Attributes:
        chain: the session on chain.
        factory: 0x address of its factory.
        buyer: the collector's seat.
        contenders: the providers.
        before: what each held before, by account, in the coin that pays.
        payee: who is paid in the place of whom it is owed to, if anybody is.
    """

    chain: ChainSession
    factory: str
    buyer: Seat
    contenders: tuple[Contender, ...]
    before: Mapping[str, int]
    payee: str | None = None

    @classmethod
    def open(
        cls,
        chain: ChainSession,
        factory: str,
        buyer: Seat,
        contenders: tuple[Contender, ...],
        payee: str | None = None,
    ) -> Scene:
        """Notes what everybody held before the session, which may be under way."""
        seats = [buyer, *(contender.seat for contender in contenders)]
        session = chain.read()
        held = {seat.address: balance_of(chain.terms.token, seat.address) for seat in seats}
        held[buyer.address] += chain.terms.escrow - (session.reclaimed or 0)
        for member in session.members.values():
            if member.account in held:
                held[member.account] += chain.terms.deposit - (member.paid or 0)
        if chain.terms.token == NATIVE:
            held[buyer.address] += chain.fees().get(buyer.address, 0)
        if payee is not None:
            held.setdefault(payee, balance_of(chain.terms.token, payee))
            for account, paid in chain.paid().items():
                if account in held:
                    held[account] += paid
                    held[payee] -= paid
        return cls(chain, factory, buyer, contenders, held, payee)

    @property
    def seats(self) -> list[Seat]:
        """Everybody, the collector first."""
        return [self.buyer, *(contender.seat for contender in self.contenders)]

    def contender_at(self, account: str) -> Contender:
        """The provider whose 0x address is `account`. Raises StopIteration if there is none."""
        return next(one for one in self.contenders if one.seat.address == account)

    def gain(self, account: str) -> int:
        """What `account` gained, fees set aside; negative if it lost."""
        return self.chain.gain(account, self.before[account])


def injustices(scene: Scene, session: Session, story: Story, received: str | None) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly.

    received: digest of the dataset that the collector decrypted.
    """
    found = []
    terms, deal = scene.chain.terms, session.deal
    gains = {contender.seat.address: 0 for contender in scene.contenders}
    for contender in scene.contenders:
        name, member = contender.seat.name, session.members.get(contender.seat.address)
        if contender.culprit:
            asked = member is not None and member.tried
            if asked:
                gains[contender.seat.address] = story.culprit_gains(terms)
            if asked != story.asked(terms):
                found.append(
                    f"{name} was asked for a review"
                    if asked
                    else f"{name}, which misbehaves in its review, was asked for none"
                )
        elif member and member.compensated:
            if not story.jilted:
                found.append(f"{name} disclosed its samples in vain")
            gains[contender.seat.address] = terms.compensation
    if story.refused and story.refused not in scene.chain.refused:
        found.append(f"{story.refused} should have been refused")
    if (deal is not None) != story.deal:
        found.append("there should be a deal" if story.deal else "there should be no deal")
    if deal:
        gains[deal.provider] += terms.reward
        sold = scene.contender_at(deal.provider)
        if sold.culprit:
            found.append(f"{sold.seat.name} was paid")
        if received != sold_digest(sold, session):
            found.append("the collector's dataset is not the one that was sold")
    owed = session.owed_to_collector() + sum(session.owed_to(account) for account in gains)
    if scene.payee and scene.payee not in {seat.address for seat in scene.seats}:
        # What is told to be paid to it, it has.
        real = scene.gain(scene.payee)
        found += [f"{scene.payee} has {real} wei that is nobody's"] * (real != 0)
    held = balance_of(terms.token, scene.chain.address)
    if held != owed + session.burned:
        found.append(f"the session holds {held} wei, owes {owed}, burned {session.burned}")
    # What the others gained the collector paid, and no more; what it may still take is its own.
    gains[scene.buyer.address] = -sum(gains.values()) - session.owed_to_collector() - session.burned
    for seat in scene.seats:
        if (real := scene.gain(seat.address)) != gains[seat.address]:
            found.append(
                f"{seat.name} gained {real} wei besides gas, should have {gains[seat.address]}"
            )
    return found


def sold_digest(contender: Contender, session: Session) -> str:
    """Digest of the files that went into a provider's shards."""
    terms, files = session.terms, originals_of(contender.data)
    return PackedShards(files, terms.shard_count, terms.shard_size).digest()
