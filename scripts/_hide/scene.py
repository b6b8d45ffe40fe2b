"""All that took part in a sale, and the checks that its story ended justly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.crypto.settlement import Settlement
from offchain.hide.making import MadeFamily
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Stock
from scripts._hide.chain import SaleChain
from scripts._hide.stories import Story
from scripts._stage.money import balance_of
from scripts._stage.table import Seat


@dataclass(frozen=True)
class Scene:
    """All that took part in a sale. seats: the seller, then the buyers. wants: of the buyers.
    before: what each held, by account, in the coin that pays. payee: who is paid in the place of
    whom it is owed to, if anybody is."""

    chain: SaleChain
    session: SaleSession
    stock: Stock
    made: MadeFamily
    seats: tuple[Seat, ...]
    wants: tuple[tuple[int, ...], ...]
    before: Mapping[str, int]
    settlement: Settlement
    payee: str | None = None

    @property
    def buyers(self) -> tuple[Buyer, ...]:
        """The roles of all buyers that came to life, in the order of their seats."""
        roles = [seat.role for seat in self.seats[1:]]
        return tuple(role for role in roles if isinstance(role, Buyer))

    def gain(self, account: str) -> int:
        """What an account gained, fees set aside; negative if it lost."""
        return self.chain.gain(account, self.before[account])


def injustices(scene: Scene, story: Story) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly."""
    found, paid, chain = [], 0, scene.chain
    levels, stake = scene.stock.listing.levels, scene.stock.listing.stake
    for number, (seat, cheated) in enumerate(
        zip(scene.seats[1:], story.cheated(scene.wants), strict=True), 1
    ):
        due, owned = _owed(story, scene.wants, number, cheated)
        purchase = scene.session.purchases.get(seat.address)
        if (purchase.owned if purchase else 0) != owned:
            found.append(f"{seat.name} owns {purchase.owned if purchase else 0}, should {owned}")
        gain = due * stake - (levels[owned - 1].price if owned else 0)
        if (real := scene.gain(seat.address)) != gain:
            found.append(f"{seat.name} gained {real} besides gas, should have {gain}")
        paid -= gain
        role = seat.role
        got = role.dataset() if isinstance(role, Buyer) else None
        wanted = scene.made.family.cleaner(owned).result if owned else None
        if (got.digest() if got else None) != wanted:
            found.append(f"{seat.name} does not hold what it paid for")
    seller = scene.seats[0].address
    if (real := scene.gain(seller)) != paid:
        found.append(f"the seller gained {real} besides gas, should have {paid}")
    if scene.payee and scene.payee not in {seat.address for seat in scene.seats}:
        # What is told to be paid to it, it has.
        real = scene.gain(scene.payee)
        found += [f"{scene.payee} has {real} that is nobody's"] * (real != 0)
    if left := balance_of(chain.token, chain.address):
        found.append(f"{left} are left in the contract")
    expected = [call for call in [story.refused(scene.settlement)] if call]
    if chain.refused != expected:
        found.append(f"refused were {chain.refused}, should be {expected}")
    return found


def _owed(
    story: Story, wants: Sequence[Sequence[int]], number: int, cheated: set[int]
) -> tuple[int, int]:
    """How many stakes a buyer must be paid, and how many levels it must own in the end."""
    if not story.buys and number == len(wants):
        return 0, 0
    owned = 0
    for level in wants[number - 1]:
        if level in cheated:
            return int(story.punished), owned
        owned = level + 1
    return 0, owned
