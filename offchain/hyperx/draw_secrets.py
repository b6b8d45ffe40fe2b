"""The collector's secrets of draws: none is committed to again once it was shown.

What completes a draw shows its secret, whether or not the block with it stays. After a
reorganisation the same provider may be drawn for anew, and who knows the secret and picks a hash
picks the sample. So what was shown is noted on disk before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_bytes

from offchain.crypto.secrets_file import SecretsFile
from offchain.hyperx.session import Member, Session, SessionError

_SHOWN = b"shown"


def fresh(secrets_file: SecretsFile, session: Session, member: Member) -> bytes:
    """A secret for the member's next request; the same until it is requested or shown."""
    for number, name in enumerate(_names(session, member)):
        if number >= member.draws and f"{name}: shown" not in secrets_file:
            return secrets_file.remember(name, lambda: token_bytes(32))
    raise AssertionError("names have no end")


def shown(secrets_file: SecretsFile, session: Session, member: Member) -> bytes:
    """The secret to which the member's open request commits, from now on noted as shown.

    Raises SessionError where it is not in the file.
    """
    party = session.party(member.account)
    for name in _names(session, member):
        if name not in secrets_file:
            break
        secret = secrets_file.get(name)
        if party.draw_commitment(secret) == member.draw_commitment:
            secrets_file.remember(f"{name}: shown", lambda: _SHOWN)
            return secret
    raise SessionError(f"{secrets_file.path} has no secret for the draw of {member.account}")


def _names(session: Session, member: Member) -> Iterator[str]:
    where, number = f"{session.address} on chain {session.chain_id}", 0
    while True:
        yield f"secret of draw {number} for {member.account} in {where}"
        number += 1
