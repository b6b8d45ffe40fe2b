"""How a member votes: the ballot that follows from its evaluation, cast openly or hidden first."""

from __future__ import annotations

import hmac
from secrets import token_bytes

from offchain.crypto.commitments import word
from offchain.roles import Wallet
from offchain.seccl import actions as do
from offchain.seccl.ballots import Ballot, Poll, TypedData, compact, pack_ranking, pack_steps
from offchain.seccl.borda import Election
from offchain.seccl.documents import Evaluation
from offchain.seccl.session import Session

_SALT = b"souk.seccl.salt.v1"


class Voter:
    """The vote of member number `index`. What was cast is the chain's to know."""

    def __init__(
        self, session: Session, index: int, wallet: Wallet, secret: bytes | None = None
    ) -> None:
        """secret: 32 random bytes that hide its ballots; drawn unless given. Who wants to go on
        after a crash keeps them."""
        self._session, self._index, self._wallet = session, index, wallet
        self._secret = secret or token_bytes(32)
        self._said: dict[int, Evaluation] = {}

    def decide(self, said: Evaluation) -> None:
        """Keeps the evaluation by which it votes in the evaluation's round."""
        self._said[said.round] = said

    def ballot(self, round_: int) -> Ballot:
        """What it votes in an open round in which it has decided."""
        return ballot_of(self._session, self._said[round_])

    def handed(self, round_: int, consensus: str, now: int) -> list[do.Carried]:
        """What it gives the server to carry, if anything is left to be cast.

        Its ballot; where ballots are hidden, first its commitment and, when no more of these are
        taken, the opening. consensus: 0x address of the session's BordaConsensus. now: Unix
        seconds.
        """
        poll, account = self._poll(round_, consensus), self._wallet.address
        missing: list[do.Carried] = []
        match self._missing(round_, consensus, now):
            case do.Vote(_, voter, ballot):
                signed = self._signed(poll.ballot(account, ballot))
                missing.append(do.SignedBallot(round_, voter, ballot, *signed))
            case do.Commit(_, voter, commitment):
                signed = self._signed(poll.commitment(account, commitment))
                missing.append(do.SignedCommitment(round_, voter, commitment, *signed))
            case do.Reveal() as opening:
                missing.append(opening)
        return missing

    def cast(self, round_: int, consensus: str, now: int) -> list[do.Action]:
        """Casts the ballot by itself, without the relay, which nobody can prevent."""
        missing = self._missing(round_, consensus, now)
        return [] if missing is None else [missing]

    def _missing(
        self, round_: int, consensus: str, now: int
    ) -> do.Vote | do.Commit | do.Reveal | None:
        session, me, ballot = self._session, self._index, self.ballot(round_)
        opened = session.opened[round_]
        if me in session.ballots.get(round_, {}) or now >= opened.reveal_end:
            return None
        if not session.description.hidden:
            return do.Vote(round_, me, ballot)
        committed = me in session.committed.get(round_, {})
        if now < opened.ballot_end:
            if committed:
                return None
            hidden = self._poll(round_, consensus).hide(
                self._wallet.address, ballot, self._salt(round_)
            )
            return do.Commit(round_, me, hidden)
        return do.Reveal(round_, me, ballot, self._salt(round_)) if committed else None

    def _poll(self, round_: int, consensus: str) -> Poll:
        return Poll(self._session.board.chain_id, consensus, self._session.id, round_)

    def _salt(self, round_: int) -> bytes:
        """32 bytes, the same again for the same round."""
        place = self._session.id + word(round_) + word(self._index)
        return hmac.digest(self._secret, _SALT + place, "sha256")

    def _signed(self, typed: TypedData) -> tuple[bytes, bytes]:
        signature = self._wallet.sign(typed)
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
        return compact(r, s, signature[64])


def ballot_of(session: Session, said: Evaluation) -> Ballot:
    """The ballot that follows from an evaluation, in the form that the session has agreed on.

    A ranking depends on the seed of its round, which must be open.
    """
    about = session.description
    if about.ballots == "scores":
        return pack_steps(said.scores)
    election = Election(
        session.members, about.winners, session.opened[said.round].seed, about.quorum
    )
    return pack_ranking(election.best(said.author, said.scores), session.members)
