"""A market that is over: what each party did, what was true all along, and whether it is just."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offchain.mde.buyer import Buyer
from offchain.mde.buying import Comparison
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import DealState
from offchain.mde.letters import Invitation, Proposal
from offchain.mde.owner import Gain, Performance
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.session import DealSession, Sale
from scripts._mde.chain import DealChain
from scripts._mde.stories import Story
from scripts._stage.table import Seat


@dataclass
class Truth:
    """What nobody at the market knows. gains: of each set alone, in the sellers' order.

    before, after: the buyer's model without and with what it bought. ways: to spend its budget.
    """

    gains: list[Gain]
    before: Performance
    after: Performance
    ways: Comparison | None


@dataclass(frozen=True)
class SellerEnd:
    """How it ended for one seller.

    Attributes:
        name, kind: for people. account: 0x. role: what played it.
        sale: of its data, the last one quoted; None without a quote.
        got: its samples as the buyer has them, if it bought them.
        told: the fault that it was convicted of, in words; "" if none.
        remarks: what was refused it, or by it.
    """

    name: str
    kind: str
    account: str
    role: Seller
    sale: Sale | None
    got: Samples | None
    told: str
    remarks: tuple[str, ...]

    @property
    def paid(self) -> int:
        """What it was paid."""
        return self.sale.price if self.sale and self.sale.state is DealState.SETTLED else 0

    @property
    def lapsed(self) -> bool:
        """Whether it sold and delivered nothing."""
        return self.sale is not None and self.sale.state is DealState.LAPSED


@dataclass(frozen=True)
class Scene:
    """A market that is over.

    Attributes:
        seats: the buyer, then the sellers.
        kinds: what each seller has, a word each.
        before: what each account held, in the currency, before it put up anything.
        refusals: what the chain told each seat that it would not do, one line each, by name.
        held: what the contract held before.
        pay_to: 0x account that everybody's money went to in the end; None for each one's own.
    """

    story: Story
    chain: DealChain
    session: DealSession
    seats: tuple[Seat, ...]
    kinds: tuple[str, ...]
    budget: int
    before: Mapping[str, int]
    refusals: Mapping[str, list[str]]
    held: int = 0
    pay_to: str | None = None

    @property
    def buyer(self) -> Buyer:
        """The buyer's role."""
        role = self.seats[0].role
        assert isinstance(role, Buyer)
        return role

    @property
    def orders(self) -> list[bytes]:
        """Ids of the buyer's orders, the latest last."""
        return self.buyer.vault.orders()

    @property
    def sellers(self) -> tuple[SellerEnd, ...]:
        """In the order of their seats."""
        return tuple(
            self._end(seat, kind) for seat, kind in zip(self.seats[1:], self.kinds, strict=True)
        )

    @property
    def chosen(self) -> tuple[int, ...]:
        """Which sellers' sets were bought, in the order of the purchases."""
        ids = [one.role.id for one in self.sellers]
        bought = [sale for order in self.orders for sale in self.session.bought(order)]
        return tuple(ids.index(sale.dataset) for sale in bought)

    def gain(self, account: str) -> int:
        """What an account gained, fees set aside, with what it had paid to another."""
        gained = self.chain.gain(account, self.before[account])
        return gained + (0 if self.pay_to in (None, account) else self.withdrawn(account))

    def withdrawn(self, account: str) -> int:
        """What an account took out of its orders and datasets."""
        owners = {id_: one.buyer for id_, one in self.session.orders.items()}
        owners |= {id_: one.seller for id_, one in self.session.datasets.items()}
        own = [id_ for id_, owner in owners.items() if owner == account]
        return sum(self.session.books[id_].withdrawn for id_ in own)

    def _end(self, seat: Seat, kind: str) -> SellerEnd:
        role = seat.role
        assert isinstance(role, Seller)
        sales = self.session.sales_from(role.id)
        # Bought once or never, however many quotes there were.
        ended = [sale for sale in sales if sale.state is not DealState.QUOTED]
        last = ended or sales
        sale = last[-1] if last else None
        fault = self.buyer.vault.received(sale).fault if sale and sale.proof else None
        remarks = [*self.refusals.get(seat.name, []), *role.objections.values()]
        if objection := self.buyer.objections.get(role.id):
            remarks.append(objection)
        return SellerEnd(
            seat.name,
            kind,
            seat.address,
            role,
            sale,
            self.buyer.vault.bought().get(sale.deal.pair) if sale else None,
            fault.told if fault else "",
            tuple(remarks),
        )


def injustices(scene: Scene) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly."""
    story, chain, found = scene.story, scene.chain, []
    stake = scene.session.orders[scene.orders[0]].stake
    due = {}
    for number, one in enumerate(scene.sellers):
        guilty = number == 0
        proof = type(one.sale.proof) if one.sale and one.sale.proof else None
        wanted = story.proof if guilty else None
        if proof is not wanted:
            found.append(f"{one.name} was convicted by {proof}, should be by {wanted}")
        if one.lapsed != (story.silent and guilty):
            found.append(f"{one.name}: its sale {'lapsed' if one.lapsed else 'did not lapse'}")
        got = one.got.hashes() if one.got else None
        if got != (one.role.samples.hashes() if one.paid else None):
            found.append(f"{one.name}: what was bought is not what it has")
        due[one.account] = -stake if proof else one.paid
    if story.refused and story.refused not in chain.refused:
        found.append(f"{story.refused} should have been refused")
    if not story.refused and chain.refused:
        found.append(f"{', '.join(chain.refused)} should not have been refused")
    if bool(scene.chosen) != story.pays:
        found.append(
            "something should have been bought" if story.pays else "nothing was to be bought"
        )
    if len(scene.orders) != story.orders:
        found.append(f"{len(scene.orders)} orders were posted, should be {story.orders}")
    due[scene.buyer.account] = -sum(due.values())
    for account, should in due.items():
        if (real := scene.gain(account)) != should:
            found.append(f"{account} gained {real} besides gas, should have {should}")
    for one in scene.sellers:
        if _took_another(scene, one.role.id):
            found.append(f"{one.name} took another artefact than the order names")
    if (held := chain.held() - scene.held) != 0:
        found.append(f"the contract still holds {held}")
    to = scene.pay_to
    if to is not None and to not in due:
        paid = sum(scene.withdrawn(account) for account in due)
        if (real := chain.gain(to, scene.before[to])) != paid:
            found.append(f"{to} was paid {real}, should have been {paid}")
    if sum(one.paid for one in scene.sellers) > scene.budget:
        found.append("more than the budget was paid")
    return found


def _took_another(scene: Scene, dataset: bytes) -> bool:
    """Whether a seller quoted by an artefact that it was shown after the first of an order, which
    is the one that the order names."""
    for order in scene.orders:
        about = Correspondence(scene.session, order, dataset)
        others = {shown.artefact for shown in about.by_buyer(Invitation)[1:]}
        if any(proposal.artefact in others for proposal in about.by_seller(Proposal)):
            return True
    return False
