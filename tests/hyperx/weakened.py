"""Copies of the session with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ape
from ape.contracts import ContractContainer, ContractInstance

from tests.kit.snapshots import undone
from tests.kit.weakened import OWN_PERMIT, Change, Weakenings

SESSION = "contracts/hyperx/TradingSession.sol"
FACTORY = "contracts/hyperx/TradingSessionFactory.sol"
_STATE = "contracts/hyperx/SessionState.sol"
_EVIDENCE = "contracts/hyperx/Evidence.sol"
_SHARDS = "contracts/hyperx/Shards.sol"
_KEYS = "contracts/exchange/KeyDispute.sol"
_PAYMENT = "contracts/exchange/Payment.sol"
_WINDOW = "contracts/exchange/Window.sol"
_GUARD = "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol"

_MARK_PAID = """        _profiles[msg.sender] = ProfileLib.NONE;
        emit DepositClaimed(msg.sender, paid);
        Payment.pay(t.token(), to, paid);"""
_MARK_RECLAIMED = """        _ledger.reclaimed = true;
        emit EscrowReclaimed(paid);
        Payment.pay(t.token(), to, paid);"""
_COUNTS_NOTHING: Change = (
    _PAYMENT,
    "require(moved == due, TokenTakesFee(moved, due));",
    "moved; due;",
)
"""Whatever a token moves counts as what was due."""

WEAKENINGS: Weakenings = {
    "pays before it marks, unguarded": (
        (_GUARD, "revert ReentrancyGuardReentrantCall();", ""),
        _COUNTS_NOTHING,
        (
            SESSION,
            _MARK_PAID,
            "Payment.pay(t.token(), to, paid);\n_profiles[msg.sender] = ProfileLib.NONE;",
        ),
        (
            SESSION,
            _MARK_RECLAIMED,
            "Payment.pay(t.token(), to, paid);\n_ledger.reclaimed = true;",
        ),
    ),
    "pays without marking": (
        (SESSION, _MARK_PAID, "Payment.pay(t.token(), to, paid);"),
        (SESSION, _MARK_RECLAIMED, "Payment.pay(t.token(), to, paid);"),
    ),
    "needs its own permit": OWN_PERMIT,
    "pushes the compensation": (
        (
            _STATE,
            "import {Shards} from",
            'import {Payment} from "../exchange/Payment.sol";\nimport {Shards} from',
        ),
        (
            _STATE,
            "emit ReviewRefused(status_.candidate, t.compensation(), byCollector);",
            "Payment.pay(t.token(), status_.candidate, t.compensation());\n"
            "emit ReviewRefused(status_.candidate, t.compensation(), byCollector);",
        ),
    ),
    "a claim stands or falls with its payment": (
        SESSION,
        "if (Payment.tryPay(t.token(), msg.sender, paid)) return;",
        "Payment.pay(t.token(), msg.sender, paid);\nif (paid > 0) return;",
    ),
    "declares rubbish for nothing": (
        _STATE,
        "ledger.compensations * t.compensation() + ledger.rubbish * t.burn()",
        "ledger.compensations * t.compensation()",
    ),
    "counts its balance": (
        (SESSION, "_owedToCollector(t, status_, _ledger)", "address(this).balance"),
        (
            SESSION,
            "_owedToCollector(PackedTermsLib.load(), _status, _ledger)",
            "address(this).balance",
        ),
    ),
    "leaves bind nobody": (
        (
            _SHARDS,
            "keccak256(abi.encode(kind, block.chainid, address(this), provider))",
            "keccak256(abi.encode(kind, uint256(1), address(1), address(0)))",
        ),
    ),
    "leaves bind no session": (
        _SHARDS,
        "keccak256(abi.encode(kind, block.chainid, address(this), provider))",
        "keccak256(abi.encode(kind, block.chainid, address(0), provider))",
    ),
    "anyone acts for the candidate": (
        (
            _STATE,
            "require(msg.sender == status_.candidate, NotCandidate(msg.sender, "
            "status_.candidate));\n        return _profiles[msg.sender];",
            "return _profiles[status_.candidate];",
        ),
        (
            SESSION,
            "Shards.addressRoot(msg.sender, addresses)",
            "Shards.addressRoot(_status.candidate, addresses)",
        ),
        (
            SESSION,
            "Shards.keyRoot(msg.sender, sessionKey, t.shardCount())",
            "Shards.keyRoot(_status.candidate, sessionKey, t.shardCount())",
        ),
    ),
    "believes evidence": (
        (
            _EVIDENCE,
            "require(delivered != leaf, ITradingSession.KeyIsRight(shard));",
            "delivered;",
        ),
    ),
    "believes leaves": (
        (
            _EVIDENCE,
            "require(root == keyRoot, ITradingSession.LeafNotInTree(keyRoot, root));",
            "root;",
        ),
    ),
    "believes shared points": (
        (
            _KEYS,
            "SealedKey.isAccountOf(product, sharedX, sharedY)",
            "product != address(1) && sharedY != 0",
        ),
    ),
    "believes any secret": (
        _KEYS,
        "require(SealedKey.isSecretOf(oneTimeSecret, oneTimeKey), NotTheSecret(oneTimeKey));",
        "oneTimeKey;",
    ),
    "believes any shard": (
        (
            _EVIDENCE,
            "require(evidence.shard < shardCount, "
            "ITradingSession.ShardOutOfRange(evidence.shard, shardCount));",
            "",
        ),
    ),
    "forgets what was delivered": (
        (
            _EVIDENCE,
            "profile.requireCommitted(Shards.fold(Shards.fold(sample, review), delivery));",
            "delivery; review; sample; profile;",
        ),
    ),
    "draws from the moment": (
        (SESSION, "_blockHash(requested + 1)", "_blockHash(block.number - 1)"),
        (_STATE, "require(block.number > last, DrawStillOpen(block.number, last));", "last;"),
    ),
    "draws from the block alone": (
        (
            _SHARDS,
            "keccak256(abi.encode(domain(DRAW_TYPE, provider), secret, blockHash))",
            "keccak256(abi.encode(domain(DRAW_TYPE, provider), bytes32(0), blockHash))",
        ),
    ),
    "samples until the last": (
        (_STATE, "return t.submissionEnd() - Window.SHORTEST;", "return t.submissionEnd();"),
    ),
    "opens the sample alone": (_STATE, "size < limit", "size == 0"),
    "draws further shards from the start": (
        _SHARDS,
        "keccak256(abi.encode(domain(FURTHER_TYPE, provider), oneTimeKey))",
        "keccak256(abi.encode(domain(FURTHER_TYPE, provider), bytes32(0)))",
    ),
    "draws for ever": ((_STATE, "require(hash != 0, NoBlockHash(number));", ""),),
    "windows overlap": ((_STATE, "block.timestamp < end", "block.timestamp <= end"),),
    "trusts tokens": (
        _COUNTS_NOTHING,
        (
            _PAYMENT,
            "IERC20(token).safeTransfer(to, amount);",
            "IERC20(token).transfer(to, amount);",
        ),
    ),
    "believes a token's answer": (
        _PAYMENT,
        "return paid && _held(token) < held;",
        """assembly ("memory-safe") {
            if and(paid, gt(returndatasize(), 0x1f)) {
                returndatacopy(0, 0, 0x20)
                paid := eq(mload(0), 1)
            }
        }""",
    ),
}
"""Copies of the session, by name."""

_ANY_WINDOW = (
    _WINDOW,
    "require(window >= SHORTEST && window <= LONGEST, "
    "WindowOutOfRange(window, SHORTEST, LONGEST));",
    "window;",
)
FACTORY_WEAKENINGS: Weakenings = {
    "takes any window": _ANY_WINDOW,
    "takes any expiry": (
        _ANY_WINDOW,
        (FACTORY, "require(t.expiry <= latest, ExpiryTooLate(t.expiry, latest));", "latest;"),
    ),
    "addresses follow from the order": (
        FACTORY,
        """Clones.cloneDeterministicWithImmutableArgs(
            implementation, PackedTermsLib.pack(terms), bytes32(nonce), msg.value
        )""",
        "Clones.cloneWithImmutableArgs(implementation, PackedTermsLib.pack(terms), msg.value)",
    ),
    "takes any reward": (
        FACTORY,
        "require(t.reward >= least, RewardTooLow(t.reward, least));",
        "least;",
    ),
}
"""Copies of the factory, by name."""


@contextmanager
def weakened(factory: ContractInstance, weak: ContractContainer) -> Iterator[None]:
    """Inside, every session runs the weak code; afterwards all that happened is undone."""
    with undone():
        code = weak.contract_type.runtime_bytecode.bytecode
        ape.chain.provider.set_code(factory.implementation(), str(code))
        yield
