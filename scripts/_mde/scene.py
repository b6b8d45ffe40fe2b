"""A market that is over: what each party did, what was true all along, and whether it is just."""

from __future__ import annotations

from dataclasses import dataclass, field

from offchain.crypto.settlement import NATIVE
from offchain.mde.buying import Comparison
from offchain.mde.owner import Gain, Standing
from scripts._mde.chain import PriceChain
from scripts._mde.order import Round, Stand
from scripts._mde.stories import Story
from scripts._stage.money import balance_of


@dataclass
class Truth:
    """What nobody at the market knows. gains: of each lot alone, in the sellers' order.

    before, after: the buyer's model without and with what it bought. ways: to spend its budget.
    """

    gains: list[Gain]
    before: Standing
    after: Standing
    ways: Comparison | None


@dataclass
class Played:
    """A market that is over.

    rounds: the buyer's orders. started: what each account held, in the currency, before it put up
    anything; wrong: what did not end as the story demands.
    """

    story: Story
    chain: PriceChain
    rounds: list[Round]
    stands: list[Stand]
    budget: int
    chosen: tuple[int, ...]
    started: dict[str, int]
    wrong: list[str] = field(default_factory=list)

    def gain(self, account: str) -> int:
        """What an account gained, fees set aside."""
        native = self.chain.token == NATIVE
        fees = self.chain.fees().get(account, 0) if native else 0
        return balance_of(self.chain.token, account) - self.started[account] + fees


def injustices(played: Played) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly."""
    story, chain, found = played.story, played.chain, []
    stake = played.rounds[0].terms.stake
    due = {}
    for number, stand in enumerate(played.stands):
        guilty = number == 0
        proof = stand.proved.call if stand.proved else None
        wanted = story.proof if guilty else None
        if proof != wanted:
            found.append(f"{stand.name} was convicted by {proof}, should be by {wanted}")
        if stand.lapsed != (story.silent and guilty):
            found.append(f"{stand.name}: its sale {'lapsed' if stand.lapsed else 'did not lapse'}")
        if stand.bought is not None and stand.bought.hashes() != stand.role.samples.hashes():
            found.append(f"{stand.name}: what was bought is not what it has")
        due[str(stand.account.address)] = -stake if stand.proved else stand.paid
    if story.refused and story.refused not in chain.refused:
        found.append(f"{story.refused} should have been refused")
    if not story.refused and chain.refused:
        found.append(f"{', '.join(chain.refused)} should not have been refused")
    if bool(played.chosen) != story.pays:
        found.append(
            "something should have been bought" if story.pays else "nothing was to be bought"
        )
    buyer = str(played.rounds[0].account.address)
    due[buyer] = -sum(due.values())
    for account, should in due.items():
        if (real := played.gain(account)) != should:
            found.append(f"{account} gained {real} besides gas, should have {should}")
    if (held := chain.held()) != 0:
        found.append(f"the contract still holds {held}")
    if sum(one.paid for one in played.stands) > played.budget:
        found.append("more than the budget was paid")
    return found
