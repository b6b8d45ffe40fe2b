// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BookLib} from "../../contracts/exchange/Book.sol";
import {ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyEvidence} from "../../contracts/exchange/KeyDispute.sol";
import {PlainToken} from "../kit/mocks/Tokens.sol";
import {Attempts} from "./Attempts.sol";
import {Vm} from "./Base.sol";
import {ExchangeHarness} from "./ExchangeHarness.sol";

/// @title What the plays of both sales share: money in coins and in a token, files of one chunk, and sealed keys
abstract contract SalePlay is Attempts {
    /// @notice What the contract holds of one owner by the book, and how it came to that:
    /// funds + takenOut + lost = putIn + gained.
    struct Money {
        uint256 funds;
        uint256 held;
        bool closed;
        uint256 putIn;
        uint256 takenOut;
        uint256 gained;
        uint256 lost;
    }

    /// @dev The longest step of time where no deadline is nearer.
    uint256 internal constant STEP = 5 minutes;
    uint96 public constant STAKE = 400;
    uint96 internal constant PRICE = 700;
    uint32 internal constant DELIVERY_TIME = 20 minutes;
    uint32 internal constant DISPUTE_TIME = 15 minutes;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev Buyers' and sellers' one-time keys are multiples of the generator by these, each with its even y.
    uint256 private constant ONE_TIME = 11;
    uint256 private constant EPHEMERAL = 77;

    /// @notice The contract that is played with.
    address public immutable market;
    PlainToken public immutable token;
    ExchangeHarness internal immutable exchange;

    error PaidWrongly(address account, uint256 paid, uint256 due);

    constructor(address market_) {
        vm.warp(1_000_000);
        market = market_;
        token = new PlainToken();
        exchange = new ExchangeHarness();
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function exhaust() external virtual;

    /// @notice What the contract should hold of one currency by the table of money.
    function debts(bool ofToken) external view virtual returns (uint256);

    // ---------------------------------------------------------------- accounts and time

    function _enrich(address account) internal {
        vm.deal(account, 1e30);
        token.mint(account, 1e30);
        vm.prank(account);
        token.approve(market, type(uint256).max);
    }

    /// @dev The earlier of `next` and a deadline that is still to come.
    function _sooner(uint256 next, uint256 deadline) internal view returns (uint256) {
        return deadline > block.timestamp && deadline < next ? deadline : next;
    }

    /// @dev Moves to just before, at or just after `next`.
    function _warpAround(uint256 next, uint256 seed) internal {
        next = next + derive(seed, "edge") % 3 - 1;
        vm.warp(next > block.timestamp ? next : block.timestamp + 1);
    }

    // ---------------------------------------------------------------- files and keys

    /// @dev As ChunkedFile.domain has it, for the contract of the sale instead of the harness.
    function _domain(address seller, bytes32 label) internal view returns (bytes32) {
        return keccak256(abi.encode(keccak256("souk.file.domain.v1"), block.chainid, market, seller, label));
    }

    /// @dev A file of one chunk of one word, so that its leaves are its roots; a spoilt one does not decrypt to its plain
    /// leaf.
    /// @return file the commitment to it
    /// @return e evidence about its chunk
    function _file(bytes32 domain, bytes32 key, bytes32 plain, bool spoilt)
        internal
        view
        returns (bytes32 file, ChunkEvidence memory e)
    {
        (e.length, e.chunkBytes) = (32, 32);
        bytes32 leaf = exchange.plainLeaf(domain, key, 0, keccak256(abi.encode(plain)));
        e.plainLeaf = spoilt ? bytes32("anything") : leaf;
        bytes32 seed = keccak256(abi.encode(key, exchange.streamNonce(domain, e.plainLeaf), uint256(0)));
        e.chunk = abi.encode(plain ^ keccak256(abi.encode(seed, uint256(0))));
        file = exchange.commitment(domain, 32, 32, _cipherRoot(domain, e), e.plainLeaf);
    }

    function _cipherRoot(bytes32 domain, ChunkEvidence memory e) internal view returns (bytes32) {
        return exchange.cipherLeaf(domain, 0, keccak256(e.chunk));
    }

    /// @dev A buyer's one-time key.
    function _oneTime(uint256 buyer) internal returns (uint256 x, uint256 y) {
        Vm.Wallet memory key = _even(ONE_TIME + buyer);
        return (key.publicKeyX, key.publicKeyY);
    }

    /// @dev The seller's point and what the buyer's key is sealed with.
    /// @param index what the pad is bound to
    function _seal(uint256 buyer, uint256 index, bytes32 key) internal returns (uint256 ephemeralX, bytes32 sealedKey) {
        sealedKey = key ^ keccak256(abi.encode(_shared(buyer).publicKeyX, index));
        ephemeralX = _even(EPHEMERAL).publicKeyX;
    }

    function _keyEvidence(uint256 buyer, uint256 ephemeralX, bytes32 sealedKey) internal returns (KeyEvidence memory) {
        Vm.Wallet memory own = _even(ONE_TIME + buyer);
        Vm.Wallet memory shared = _shared(buyer);
        return KeyEvidence(own.privateKey, ephemeralX, sealedKey, shared.publicKeyX, shared.publicKeyY);
    }

    function _shared(uint256 buyer) private returns (Vm.Wallet memory) {
        return vm.createWallet(mulmod(_even(ONE_TIME + buyer).privateKey, _even(EPHEMERAL).privateKey, ORDER));
    }

    function _even(uint256 secret) private returns (Vm.Wallet memory point) {
        point = vm.createWallet(secret);
        if (point.publicKeyY % 2 == 1) point = vm.createWallet(ORDER - secret);
    }

    // ---------------------------------------------------------------- money

    function _free(Money storage m) internal view returns (uint256) {
        return m.funds - m.held;
    }

    function _start(Money storage m, uint256 amount) internal {
        (m.funds, m.putIn) = (amount, amount);
    }

    function _gain(Money storage m, uint256 amount) internal {
        (m.funds, m.gained) = (m.funds + amount, m.gained + amount);
    }

    /// @dev What was held goes to somebody else.
    function _lose(Money storage m, uint256 amount) internal {
        (m.funds, m.held, m.lost) = (m.funds - amount, m.held - amount, m.lost + amount);
    }

    /// @dev The play's {fund}.
    /// @param isOwner whether the caller is the owner
    /// @param notOwner what refuses others
    function _fund(
        Money storage m,
        bool inToken,
        address caller,
        uint256 amount,
        bytes memory data,
        bool isOwner,
        bytes4 notOwner
    ) internal {
        _requires(isOwner, notOwner);
        if (!_call(inToken, caller, amount, amount, 0, data)) return;
        (m.funds, m.putIn) = (m.funds + amount, m.putIn + amount);
        ++count["funded"];
    }

    /// @dev The play's {withdraw}.
    /// @param isOwner whether the caller is the owner
    /// @param notOwner what refuses others
    /// @param nothing what refuses zero
    function _withdraw(
        Money storage m,
        bool inToken,
        address caller,
        uint256 amount,
        bytes memory data,
        bool isOwner,
        bytes4 notOwner,
        bytes4 nothing
    ) internal {
        _requires(isOwner, notOwner);
        _requires(amount > 0, nothing);
        _requires(amount <= _free(m), BookLib.FundsTooLow.selector);
        if (!_call(inToken, caller, 0, 0, amount, data)) return;
        (m.funds, m.takenOut) = (m.funds - amount, m.takenOut + amount);
        ++count["withdrawn"];
    }

    /// @dev The play's {close}.
    function _close(Money storage m, address owner, bytes memory data, bytes4 closedBefore) internal {
        _requires(!m.closed, closedBefore);
        if (!_call(false, owner, 0, 0, 0, data)) return;
        m.closed = true;
        ++count["closed"];
    }

    /// @dev Takes `price` and pays out exactly `due` in that currency, or is refused and moves nothing.
    /// @param coins what is sent where the currency is the coin
    function _call(bool inToken, address caller, uint256 coins, uint256 price, uint256 due, bytes memory data)
        internal
        returns (bool done)
    {
        if (inToken) coins = 0;
        // Foundry takes the coins of whom it pranks, but only if the real caller has as many.
        vm.deal(address(this), coins);
        uint256 before = _balance(inToken, caller);
        (done,) = _attempt(market, caller, coins, data);
        uint256 expected = done ? before + due - (inToken ? price : coins) : before;
        if (_balance(inToken, caller) != expected) revert PaidWrongly(caller, _balance(inToken, caller), expected);
    }

    /// @dev A call that moves no money.
    function _call(address caller, bytes memory data) internal returns (bool) {
        return _call(false, caller, 0, 0, 0, data);
    }

    function _balance(bool inToken, address account) private view returns (uint256) {
        return inToken ? token.balanceOf(account) : account.balance;
    }
}
