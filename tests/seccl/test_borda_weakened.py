"""Attacks that the consensus withstands, and that succeed where the defence is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

import ape
import pytest

from tests.kit.refusals import refusal
from tests.kit.snapshots import undone
from tests.kit.weakened import Weakenings, check_attack, compile_switched
from tests.seccl.borda_driver import (
    BOARD_ROUNDS,
    LEAD,
    PERIOD,
    REVEAL_TIME,
    board_session,
    commit,
    make_terms,
    open_session,
    opening,
    remember,
    upload,
    voters_of,
)

FACTORY = "contracts/seccl/BordaConsensusFactory.sol"
CONSENSUS = "contracts/seccl/BordaConsensus.sol"
TALLY = "contracts/seccl/borda/Tally.sol"
_OPENING = (CONSENSUS, "_from(t.opening(round));", "")
WEAKENINGS: Weakenings = {
    "rounds open when somebody opens them": _OPENING,
    "rounds open and end when somebody wants": (
        _OPENING,
        (CONSENSUS, "if (ballots < t.memberCount()) _from(t.revealEnd(round));", ""),
    ),
    "rounds go on without the board": (
        CONSENSUS,
        "require(round < t.rounds(), RoundOutOfRange(round, t.rounds()));",
        "",
    ),
    "one ballot is enough": (
        CONSENSUS,
        "ballots == 0 || _tally.turnout(t, round) < t.quorum()",
        "ballots == 0",
    ),
    "commitments count for nothing": (
        CONSENSUS,
        "ballots == 0 || _tally.turnout(t, round) < t.quorum()",
        "ballots < t.quorum()",
    ),
    "who abandons keeps its seat": (
        TALLY,
        "if (hidden) flags[i] = self.committed[i].during(round) & ~self.voted[i].during(round);",
        "",
    ),
    "who uploads nothing may win": (
        TALLY,
        "if (absence) flags[i] |= self.absent[i].during(round);",
        "",
    ),
    "reports need no proof": (
        CONSENSUS,
        "require(_board.isEmpty(place, path), NotAbsent(round, member));",
        "place;",
    ),
    "a commitment may read as none": (
        CONSENSUS,
        "require(_shorten(commitment) > 0, CommitmentZero());",
        "",
    ),
    "anybody makes a session's consensus": (
        FACTORY,
        "require(msg.sender == agreed.server, NotServer(msg.sender, agreed.server));",
        "",
    ),
    "any members vote": (
        FACTORY,
        "members.length == agreed.members && root == agreed.memberRoot",
        "root != 0",
    ),
    "ballots open at any time": (
        FACTORY,
        "terms.start == start && terms.period == period",
        "start + period > 0",
    ),
    "seeds come from newer blocks": (
        CONSENSUS,
        "Blockhash.blockHash(anchor)",
        "blockhash(block.number - 1 - (block.number - 1 - anchor) % 256)",
    ),
}
ROUNDS = 10


@pytest.fixture(scope="module")
def weak(deployer, bordas):
    """Weakened factories by name."""
    copies = compile_switched(WEAKENINGS, FACTORY)
    return {name: deployer.deploy(code, bordas.board()) for name, code in copies.items()}


@pytest.fixture(scope="module")
def ten(accounts):
    """Ten members, of whom the first attacks."""
    return voters_of(list(accounts)[10:20])


def burns_rounds(factory, owner, people):
    """Whoever made the session opens the last round at once: those before it are gone."""
    driver = open_session(factory, owner, people, winners=1)
    ape.chain.mine()
    return driver.goes("openRound", ROUNDS - 1)


def decides_every_round(factory, owner, people):
    """A member opens each round while the others still upload, votes alone, and closes: its friend
    takes ten of ten seats. One ballot decides by these terms, so that the times alone stand against
    it."""
    driver = open_session(factory, owner, people, winners=1, quorum=1)
    attacker = people[0].account
    for number in range(ROUNDS):
        ape.chain.mine()
        driver.go_to(driver.opening(number) - PERIOD // 2)
        if not driver.goes("openRound", number, sender=attacker):
            return False
        driver.contract.openRound(number, sender=attacker)
        driver.vote(0, driver.ranking([1]))
        driver.close(sender=attacker)
    return all(driver.result(number)[0] == (1,) for number in range(ROUNDS))


def elects_where_nobody_can_upload(factory, owner, people):
    """After the board's last round a member opens one more, in which nobody can be reported, and
    has its friend elected."""
    driver = open_session(factory, owner, people, winners=1)
    driver.go_to(driver.opening(BOARD_ROUNDS))
    if not driver.goes("openRound", BOARD_ROUNDS):
        return False
    driver.open(BOARD_ROUNDS, sender=people[0].account)
    driver.vote(0, driver.ranking([1]))
    driver.end()
    driver.close(sender=people[0].account)
    return driver.result()[0] == (1,)


def decides_alone(factory, owner, people):
    """A member's ballot is the only one in a round, and a majority was agreed on."""
    driver = open_session(factory, owner, people, winners=1, quorum=6)
    driver.open()
    driver.vote(0, driver.ranking([1]))
    driver.end()
    driver.close()
    return driver.result()[0] == (1,)


def three_commit(factory, owner, people):
    """A round of hidden ballots, in which members 0 to 2 committed to [3, 0], as many as must."""
    driver = open_session(factory, owner, people, quorum=3, revealTime=REVEAL_TIME)
    driver.open()
    for voter, ballot in ballots_of_three(driver).items():
        commit(driver, voter, ballot)
    driver.end_ballots()
    return driver


def ballots_of_three(driver):
    return {voter: driver.ranking([3, 0 if voter else 1]) for voter in range(3)}


def close_with(driver, voters):
    """These voters open their ballots, nobody else does."""
    packed = ballots_of_three(driver)
    for voter in voters:
        driver.contract.reveal(*opening(driver, voter, packed[voter]), sender=driver.owner)
    driver.end()
    driver.close()
    return driver.result()[0]


def voids_the_round(factory, owner, people):
    """The last of three to open sees the result, and takes it away."""
    return close_with(three_commit(factory, owner, people), [0, 1]) == ()


def abandons_for_free(factory, owner, people):
    """A member keeps its ballot hidden, since the others' elect it."""
    return 0 in close_with(three_commit(factory, owner, people), [1, 2])


def elects_the_absent(factory, owner, people):
    """Colluders elect a friend that uploaded nothing, though an honest member has reported it."""
    driver = open_session(factory, owner, people, winners=1)
    upload(factory, driver, [0, 1])
    driver.open()
    driver.contract.reportAbsent(0, 2, [], sender=people[0].account)
    for colluder in (3, 4):
        driver.vote(colluder, driver.ranking([2]))
    driver.vote(0, driver.ranking([1]))
    driver.end()
    driver.close()
    return driver.result()[0] == (2,)


def strikes_out_an_uploader(factory, owner, people):
    """A member has the best update's author taken out of the election."""
    driver = open_session(factory, owner, people, winners=1)
    upload(factory, driver, [1])
    driver.open()
    return driver.goes("reportAbsent", 0, 1, [], sender=people[0].account)


def commits_twice(factory, owner, people):
    """A member commits to nothing, and later to a ballot after all."""
    driver = open_session(factory, owner, people, revealTime=REVEAL_TIME)
    driver.open()
    sender, nothing = people[0].account, bytes(30) + b"\1\1"
    if not driver.goes("commit", 0, 0, nothing, sender=sender):
        return False
    driver.contract.commit(0, 0, nothing, sender=sender)
    commit(driver, 0, driver.ranking([3, 1]))
    return True


def waits_for_a_seed(factory, owner, people):
    """Whoever opens the round waits, on a chain that knows 256 hashes, and has more than two seeds
    to choose from."""
    seeds = set()
    driver = open_session(factory, owner, people)
    for blocks in (1, 300, 600, 900):
        with undone():
            remember(None)
            ape.chain.mine(blocks)
            driver.open()
            seeds.add(bytes(driver.newest[4]))
    return len(seeds) > 2


def makes(factory, owner, people, sender=None, members=None, **changes):
    """Whether a consensus of a session of `people` is made with something else than agreed on."""
    terms = make_terms(winners=1)
    terms["context"] = board_session(factory, owner, people, terms)
    addresses = [one.address for one in members or people]
    wanted = refusal(factory.createSession, terms | changes, addresses, sender=sender or owner)
    return wanted is None


def makes_anothers_consensus(factory, owner, people):
    """A member makes a consensus in the server's place, with a quorum that suits it."""
    return makes(factory, owner, people, sender=people[0].account)


def leaves_members_out(factory, owner, people):
    """The server lets half of the members vote."""
    return makes(factory, owner, people, members=people[:5])


def votes_before_the_uploads(factory, owner, people):
    """The server has ballots open while members still upload."""
    start = ape.chain.blocks.head.timestamp + LEAD
    return makes(factory, owner, people, start=start)


ATTACKS = {
    "rounds open when somebody opens them": burns_rounds,
    "rounds open and end when somebody wants": decides_every_round,
    "rounds go on without the board": elects_where_nobody_can_upload,
    "one ballot is enough": decides_alone,
    "commitments count for nothing": voids_the_round,
    "who abandons keeps its seat": abandons_for_free,
    "who uploads nothing may win": elects_the_absent,
    "reports need no proof": strikes_out_an_uploader,
    "a commitment may read as none": commits_twice,
    "anybody makes a session's consensus": makes_anothers_consensus,
    "any members vote": leaves_members_out,
    "ballots open at any time": votes_before_the_uploads,
    "seeds come from newer blocks": waits_for_a_seed,
}


def test_every_weakening_has_its_attack():
    assert ATTACKS.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_needs_the_weakness(bordas, weak, deployer, ten, name):
    check_attack(ATTACKS[name], bordas, weak[name], deployer, ten)
