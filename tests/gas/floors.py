"""What a call must cost at the very least, whatever the code: the floor beside our gas.

A transaction pays 21,000, its calldata, and what it has to leave behind: slots written, code
created, money paid out. From Prague on it pays at least 10 gas per calldata token (EIP-7623),
however little it does. Hashing, checks, events, the clone's detour and the reentrancy guard are not
in the floor: they are what the code adds. Of events only the words count without which nobody finds
what was posted.
"""

from __future__ import annotations

from dataclasses import dataclass

INTRINSIC = 21_000
TOKEN_PLAIN = 4
TOKEN_FLOOR = 10
TOKENS_NONZERO = 4
BYTE_RAISED = 64

# EIP-2929 (a slot is cold when first touched), EIP-2200 and EIP-3529.
NEW_SLOT = 22_100
CHANGED_SLOT = 5_000
READ_SLOT = 2_100
CLEARED_REFUND = 4_800
REFUND_QUOTIENT = 5
# A call with value to the caller itself, which is warm, less the stipend that comes back.
PAYMENT = 9_000 + 100 - 2_300
CREATE = 32_000
CODE_BYTE = 200
LOG_BYTE = 8
# OpenZeppelin's minimal clone, and the terms as five words behind it: the cheapest home for them.
CLONE_BYTES = 45 + 5 * 32


@dataclass(frozen=True)
class Deed:
    """What a call has to leave behind or look up, in cold slots, bytes of new code, payments, and
    bytes that an event has to tell."""

    new_slots: int = 0
    changed_slots: int = 0
    cleared_slots: int = 0
    read_slots: int = 0
    code_bytes: int = 0
    payments: int = 0
    told_bytes: int = 0

    @property
    def gas(self) -> int:
        """Gas before refunds."""
        return (
            self.new_slots * NEW_SLOT
            + (self.changed_slots + self.cleared_slots) * CHANGED_SLOT
            + self.read_slots * READ_SLOT
            + (CREATE + self.code_bytes * CODE_BYTE if self.code_bytes else 0)
            + self.payments * PAYMENT
            + self.told_bytes * LOG_BYTE
        )


# Per provider one slot (its profile), per session one (its status): no call can do with fewer, as
# each must be refused the second time and the next one must see that it happened.
DEEDS = {
    "createSession": Deed(code_bytes=CLONE_BYTES),
    "register": Deed(new_slots=1),
    "sampleData": Deed(changed_slots=1),
    "submitFeatures": Deed(changed_slots=1),
    # The profile (no provider twice) and the status, which is zero until the first candidate.
    "setCandidate": Deed(changed_slots=1, new_slots=1),
    # The profile (what was sealed, for disputes) and the status (whose turn it is).
    "submitReview": Deed(changed_slots=2),
    "setOptimal": Deed(changed_slots=1),
    "claimReward": Deed(changed_slots=1, cleared_slots=1, payments=1),
    "claimDeposit": Deed(cleared_slots=1, read_slots=1, payments=1),
    # The profile (what was delivered, for disputes) and the status.
    "deliverKey": Deed(changed_slots=2),
    # The profile, the status, and what was forfeited.
    "proveWrongDelivery": Deed(changed_slots=2, new_slots=1),
    # The profile (that the reward is owed) and the status.
    "settle": Deed(changed_slots=2),
    "claimDeposit, winner": Deed(changed_slots=1, cleared_slots=1, payments=1),
}


def tokens(calldata: bytes) -> int:
    """Calldata tokens of EIP-7623: one per zero byte, four per other byte."""
    zeros = calldata.count(0)
    return zeros + TOKENS_NONZERO * (len(calldata) - zeros)


def intrinsic(calldata: bytes) -> int:
    """What a transaction that executes pays before its first step."""
    return INTRINSIC + TOKEN_PLAIN * tokens(calldata)


def calldata_floor(calldata: bytes) -> int:
    """What a transaction pays in any case."""
    return INTRINSIC + TOKEN_FLOOR * tokens(calldata)


def raised_floor(calldata: bytes) -> int:
    """What a transaction would pay in any case at 64 gas a byte, zero or not (EIP-7976)."""
    return INTRINSIC + BYTE_RAISED * len(calldata)


def floor(calldata: bytes, deed: Deed) -> int:
    """The least gas of a transaction with this calldata that does this deed."""
    spent = intrinsic(calldata) + deed.gas
    refund = min(deed.cleared_slots * CLEARED_REFUND, spent // REFUND_QUOTIENT)
    return max(spent - refund, calldata_floor(calldata))
