"""Servers that lie and voters that collude against BordaConsensus: what each of them gains."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import ape

from offchain.seccl import ballots as b
from tests.kit.refusals import decode, refused
from tests.kit.snapshots import undone
from tests.seccl.borda_driver import REVEAL_TIME, open_session, remember, voters_of

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group of secp256k1."""
TOP_BIT = 1 << 255


def recovered(driver, ballot):
    """The account that a refused ballot's signature points to, after the refusal's name is seen."""
    refusal = driver.refusal("voteSigned", ballot)
    assert refusal is not None
    assert refusal.name == "WrongSignature"
    assert refusal.args[0] == driver.voters[ballot[1]].address
    return refusal.args[1]


# ---------------------------------------------------------------- the server that carries ballots


def test_a_carrier_can_alter_nothing(session):
    """Another order, form or voter under the same signature is no ballot of anybody."""
    true = session.signed(0, session.ranking([1, 2]))
    round_, _, form, content, r, vs = true
    other = session.ranking([2, 1]).content
    for altered in [
        (round_, 0, form, other, r, vs),
        (round_, 0, 1, content, r, vs),
        (round_, 1, form, session.ranking([2, 3]).content, r, vs),
        (round_, 3, form, content, r, vs),
    ]:
        assert recovered(session, altered) != session.voters[altered[1]].address
    assert session.refusal("voteSigned", (1, *true[1:])) == refused("WrongRound", 1, 1)
    assert session.refusal("voteSigned", true) is None


def test_a_carrier_can_forge_nothing(session):
    """Not with another member's key, with no signature, nor with one that has another form."""
    ballot = session.ranking([1, 2])
    assert recovered(session, session.signed(0, ballot, signer=3)) == session.voters[3].address
    true = session.signed(0, ballot)
    r, vs = true[4:]
    number = int.from_bytes(vs, "big")
    nobody = "0x" + "00" * 20
    # s and the parity replaced by their counterparts: the same point, a second signature.
    s, parity = number & (TOP_BIT - 1), number >> 255
    twin = ((ORDER - s) | (1 - parity) << 255).to_bytes(32, "big")
    flipped = (number ^ TOP_BIT).to_bytes(32, "big")
    for forged_r, forged_vs in [(r, twin), (r, flipped), (r, bytes(32)), (bytes(32), vs)]:
        assert recovered(session, (*true[:4], forged_r, forged_vs)) != true[1]
    assert recovered(session, (*true[:4], bytes(32), bytes(32))) == nobody
    unknown = (0, 5, *true[2:4], bytes(32), bytes(32))
    assert session.refusal("voteSigned", unknown) == refused("UnknownMember", 5, 5)


def test_a_ballot_is_of_use_nowhere_else(session, bordas, deployer, voters):
    """Not a second time, in another round, session, contract or chain, nor as a commitment."""
    ballot = session.ranking([1, 2])
    true = session.signed(0, ballot)
    poll = session.poll
    for elsewhere in [
        replace(poll, round=1),
        replace(poll, context=bytes(32)),
        replace(poll, contract=bordas.address),
        replace(poll, chain_id=1),
    ]:
        assert recovered(session, session.signed(0, ballot, poll=elsewhere))
    twin = open_session(bordas, deployer, voters)
    twin.open()
    assert recovered(twin, true)

    session.carry([true])
    assert session.refusal("voteSigned", true) == refused("AlreadyVoted", 0, 0)
    session.end()
    session.close()
    session.open()
    assert session.refusal("voteSigned", true) == refused("WrongRound", 0, 2)
    assert recovered(session, (1, *true[1:]))


def test_a_signed_commitment_is_of_use_nowhere_else(bordas, deployer, voters):
    """Altered, or another's, or of another round, it is refused; its copy opens nothing."""
    hidden = open_session(bordas, deployer, voters, revealTime=REVEAL_TIME)
    hidden.open()
    ballot, salt = hidden.ranking([1, 2]), bytes(range(32))
    secret = hidden.hide(0, ballot, salt)
    true = hidden.signed_commitment(0, secret)
    for altered in [(0, 1, *true[2:]), (0, 0, bytes(32), *true[3:])]:
        refusal = hidden.refusal("commitSigned", *altered)
        assert refusal is not None
        assert refusal.name == "WrongSignature"
    hidden.contract.commitSigned(*true, sender=deployer)
    # Member 3 repeats what it saw: without knowing the ballot, and bound to the other's name.
    hidden.contract.commit(0, 3, secret, sender=hidden.voters[3].account)
    hidden.end_ballots()
    stolen = 0, 3, int(ballot.form), ballot.content, salt
    assert hidden.refusal("reveal", *stolen) == refused("WrongOpening", 0, 3)
    assert hidden.refusal("reveal", 0, 0, *stolen[2:]) is None


def test_a_bad_ballot_spoils_no_batch(session, deployer, stranger):
    """What is wrong is reported with its reason and its place, all others count."""
    good = {0: [1, 2], 2: [3, 1], 4: [1, 3]}
    signed = {voter: session.signed(voter, session.ranking(names)) for voter, names in good.items()}
    selfish = session.signed(1, session.ranking([1, 2]))
    encode = session.contract.voteSigned.encode_input
    calls = [
        encode(signed[0]),
        encode(selfish),
        encode(signed[0]),
        b"",
        bytes.fromhex("deadbeef"),
        encode((*signed[2][:3], b"", *signed[2][4:])),
        encode(signed[2])[:-32],
        session.contract.openRound.encode_input(1),
        encode(signed[2]),
        encode(signed[4]),
    ]
    receipt = session.contract.batch(calls, sender=stranger)
    reports = session.contract.CallRefused.from_receipt(receipt)
    assert [log.position for log in reports] == [1, 2, 3, 4, 5, 6, 7]
    reasons = [decode(bytes(log.reason)) for log in reports]
    assert reasons[0] == refused("SelfVote", 1)
    assert reasons[1] == refused("AlreadyVoted", 0, 0)
    assert [reason.name for reason in reasons[2:]] == ["", "", "WrongSignature", "", "RoundNotOver"]
    counted = session.contract.BallotCounted.from_receipt(receipt)
    assert [log.voter for log in counted] == [0, 2, 4]
    assert session.points() == list(session.election.totals(good))


def test_a_batch_acts_for_its_caller_alone(session, stranger):
    """A stranger's batch votes for no member; a member's own call in a batch counts as its own."""
    vote = session.contract.vote.encode_input(*session.vote_args(0, session.ranking([1, 2])))
    receipt = session.contract.batch([vote], sender=stranger)
    (log,) = session.contract.CallRefused.from_receipt(receipt)
    assert decode(bytes(log.reason)) == refused("NotMember", stranger, 0)
    nested = session.contract.batch.encode_input([vote])
    session.contract.batch([nested], sender=session.voters[0].account)
    assert session.points() == [0, 2, 1, 0, 0]


def test_what_a_server_holds_back_the_voter_casts_itself(session):
    """The same ballot, by the member's own call; the server's late copy then counts for nothing."""
    ballot = session.ranking([1, 2])
    held_back = session.signed(0, ballot)
    session.vote(0, ballot)
    assert session.refusal("voteSigned", held_back) == refused("AlreadyVoted", 0, 0)
    assert session.points() == [0, 2, 1, 0, 0]


# ---------------------------------------------------------------- seeds and ties

TIED = {0: [1, 2], 1: [2, 0], 2: [0, 1]}
"""Members 0, 1 and 2 get three points each; two of them win."""


def test_ties_go_by_the_rounds_seed_not_by_index(session):
    """The same ballots, round after round: it is not always the same who win."""
    outcomes = set()
    for _ in range(14):
        for voter, names in TIED.items():
            session.vote(voter, session.ranking(names))
        session.end()
        session.close()
        winners, points = session.result()
        assert winners == session.election.close(TIED).winners
        assert points == (3, 3)
        outcomes.add(frozenset(winners))
        session.open()
    assert len(outcomes) > 1


def test_order_of_arrival_changes_nothing(session):
    """All orders of the same ballots give the same result, ties included."""
    results = set()
    for order in permutations(TIED):
        with undone():
            for voter in order:
                session.vote(voter, session.ranking(TIED[voter]))
            session.end()
            session.close()
            results.add(session.result())
    assert len(results) == 1


def test_whoever_opens_a_round_cannot_choose_its_seed(session):
    """Whatever block it opens the round in, the seed is one that nobody knew when the last round
    was closed, which the chain's history keeps; when that has forgotten it, it is one for good."""
    session.end()
    session.go_to(session.opening(1))
    session.close()
    kept = bytes(ape.chain.blocks.head.hash)

    def seeds(history, *blocks):
        found = set()
        for count in blocks:
            with undone():
                remember(history)
                ape.chain.mine(count - 1)
                session.open()
                found.add(bytes(session.newest[4]))
        return found

    first = seeds(None, 1, 5, 200, 256) | seeds(kept, 257, 300)
    constant = seeds(None, 257, 300, 900)
    assert len(first) == len(constant) == 1
    assert first != constant


# ---------------------------------------------------------------- collusion


def test_short_and_padded_ballots_gain_nothing(session):
    """Naming a favourite alone is refused; a ballot of scores fills up and gives it no more."""
    account = session.voters[0].account
    bullet = 0, 0, 0, b"\x04"
    assert session.refusal("vote", *bullet, sender=account) == refused("RankingLength", 1, 2)
    session.vote(0, b.pack_scores([0, 0, 0, 0, 1], 0))
    points = session.points()
    assert points[4] == 2
    assert sorted(points) == [0, 0, 0, 1, 2]


def test_colluders_below_their_share_change_no_winner(bordas, deployer, accounts):
    """Of ten members with three winners, two name each other first; the eight others decide."""
    driver = open_session(bordas, deployer, voters_of(list(accounts)[10:20]), winners=3)
    driver.open()
    colluders = {8: [9, 6, 7], 9: [8, 6, 7]}
    honest = {v: [n for n in range(8) if n != v][:3] for v in range(8)}
    cast = honest | colluders
    driver.carry([driver.signed(v, driver.ranking(names)) for v, names in cast.items()])
    driver.close()
    assert set(driver.result()[0]) == {0, 1, 2}
