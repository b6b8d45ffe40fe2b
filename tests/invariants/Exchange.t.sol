// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute, ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute, KeyEvidence} from "../../contracts/exchange/KeyDispute.sol";
import {Base, Vm} from "./Base.sol";
import {ExchangeHarness} from "./ExchangeHarness.sol";

/// @title The fair exchange, held against Foundry's secp256k1 and against a plain version of the cipher
contract ExchangeTest is Base {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint256 private constant LEVEL = 3;

    ExchangeHarness private harness;

    function setUp() public {
        harness = ExchangeHarness(deployHarness("ExchangeHarness"));
    }

    // ---------------------------------------------------------------- keys

    /// @notice The right key, sealed by whoever to whomever, convicts nobody; any other key convicts its seller.
    function testFuzz_OnlyAWrongKeyIsProvedWrong(uint256 k, uint256 r, bytes32 key, bytes32 flip) public {
        (KeyEvidence memory e, uint256 oneTimeKey) = _sealed(k, r, key);
        bytes32 domain = harness.domain(address(1), 0);
        bytes32 keyHash = harness.keyHash(domain, key);
        vm.expectRevert(abi.encodeWithSelector(KeyDispute.KeyIsRight.selector, keyHash));
        harness.requireWrong(domain, keyHash, oneTimeKey, LEVEL, e);

        if (flip == 0) return;
        e.sealedKey ^= flip;
        harness.requireWrong(domain, keyHash, oneTimeKey, LEVEL, e);
    }

    /// @notice Whatever else is said about a right key, it is refused.
    function testFuzz_NothingElseConvictsTheRightKey(uint256 k, uint256 r, bytes32 key, uint256 seed) public {
        (KeyEvidence memory e, uint256 oneTimeKey) = _sealed(k, r, key);
        bytes32 domain = harness.domain(address(1), 0);
        bytes32 keyHash = harness.keyHash(domain, key);
        uint256 other = derive(seed, "other");
        uint256 what = seed % 5;
        // The ephemeral point and the sealed key are as delivered: whoever judges compares them first.
        if (what == 0) e.oneTimeSecret = other;
        // The other forms of the secret itself: of the point with odd y, and beyond the order.
        if (what == 1) e.oneTimeSecret = ORDER - e.oneTimeSecret;
        if (what == 2) {
            if (e.oneTimeSecret > type(uint256).max - ORDER) return;
            e.oneTimeSecret += ORDER;
        }
        if (what == 3) e.sharedX = other;
        if (what == 4) e.sharedY = other;
        vm.expectPartialRevert(what < 3 ? KeyDispute.NotTheSecret.selector : KeyDispute.SharedPointMismatch.selector);
        harness.requireWrong(domain, keyHash, oneTimeKey, LEVEL, e);
    }

    /// @notice The negative of the shared point is the same key: y is not asked for its sign.
    function testFuzz_TheSignDoesNotMatter(uint256 k, uint256 r, bytes32 key) public {
        (KeyEvidence memory e, uint256 oneTimeKey) = _sealed(k, r, key);
        bytes32 domain = harness.domain(address(1), 0);
        bytes32 keyHash = harness.keyHash(domain, key);
        e.sharedY = _negative(e.sharedY);
        vm.expectRevert(abi.encodeWithSelector(KeyDispute.KeyIsRight.selector, keyHash));
        harness.requireWrong(domain, keyHash, oneTimeKey, LEVEL, e);
    }

    /// @notice An x that is on no point, or is beyond the order, convicts whoever named it; no shared point is asked for.
    function testFuzz_NoPointConvicts(uint256 k, uint256 x, bytes32 sealedKey) public {
        (KeyEvidence memory e, uint256 oneTimeKey) = _sealed(k, 1, 0);
        (e.ephemeralX, e.sealedKey, e.sharedX, e.sharedY) = (bound(x, ORDER, type(uint256).max), sealedKey, 0, 0);
        harness.requireWrong(0, 0, oneTimeKey, LEVEL, e);
        e.ephemeralX = 5;
        harness.requireWrong(0, 0, oneTimeKey, LEVEL, e);
    }

    /// @dev `key` sealed with r to k, with all that shows it.
    function _sealed(uint256 k, uint256 r, bytes32 key) private returns (KeyEvidence memory e, uint256 oneTimeKey) {
        Vm.Wallet memory own = _even(bound(k, 1, ORDER - 1));
        Vm.Wallet memory ephemeral = _even(bound(r, 1, ORDER - 1));
        Vm.Wallet memory shared = vm.createWallet(mulmod(own.privateKey, ephemeral.privateKey, ORDER));
        bytes32 pad = keccak256(abi.encode(shared.publicKeyX, LEVEL));
        e = KeyEvidence(own.privateKey, ephemeral.publicKeyX, key ^ pad, shared.publicKeyX, shared.publicKeyY);
        oneTimeKey = own.publicKeyX;
    }

    function _even(uint256 secret) private returns (Vm.Wallet memory point) {
        point = vm.createWallet(secret);
        if (point.publicKeyY % 2 == 1) point = vm.createWallet(ORDER - secret);
    }

    function _negative(uint256 y) private pure returns (uint256) {
        return 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F - y;
    }

    // ---------------------------------------------------------------- chunks

    /// @notice The assembly decrypts as the plain version does, at any length, and leaves memory as it was.
    function testFuzz_CipherIsThePlainOne(bytes32 key, bytes32 nonce, uint256 index, bytes calldata chunk) public view {
        bytes32 seed = keccak256(abi.encode(key, nonce, index));
        bytes memory plain = new bytes(chunk.length);
        for (uint256 i = 0; i < chunk.length; ++i) {
            plain[i] = chunk[i] ^ keccak256(abi.encode(seed, i / 32))[i % 32];
        }
        vm.assertEq(harness.plainHash(key, nonce, index, chunk), keccak256(plain), "plain chunk");
    }

    /// @notice An honest chunk convicts nobody, and one that differs in a bit convicts its seller.
    function testFuzz_OnlyASpoiltChunkIsProvedSpoilt(bytes32 key, bytes calldata chunk, uint256 seed) public {
        if (chunk.length == 0) return;
        bytes32 domain = harness.domain(address(1), bytes32(seed));
        ChunkEvidence memory e;
        (e.length, e.chunkBytes, e.chunk) = (chunk.length, chunk.length + seed % 3, chunk);
        // One chunk: its leaves are the roots. The plain chunk is what the chunk decrypts to, so the nonce, which the
        // plain root decides, cannot be met by chance; an honest file is made in the other direction.
        bytes memory plain = chunk;
        e.plainLeaf = harness.plainLeaf(domain, key, 0, keccak256(plain));
        e.chunk = _crypt(key, harness.streamNonce(domain, e.plainLeaf), plain);
        bytes32 keyHash = harness.keyHash(domain, key);
        bytes32 file = _file(domain, e);
        vm.expectRevert(abi.encodeWithSelector(ChunkDispute.ChunkIsRight.selector, 0));
        harness.requireSpoilt(domain, file, keyHash, key, e);

        e.chunk[seed % e.chunk.length] ^= bytes1(uint8(1 << (seed % 8)));
        harness.requireSpoilt(domain, _file(domain, e), keyHash, key, e);
        vm.expectPartialRevert(ChunkDispute.NotInFile.selector);
        harness.requireSpoilt(domain, file, keyHash, key, e);
    }

    /// @notice The chunks of a file cover it exactly, and there are as many as the count says.
    function testFuzz_ChunksCoverTheFile(uint256 length, uint256 chunkBytes) public view {
        (length, chunkBytes) = (bound(length, 1, 5_000), bound(chunkBytes, 32, 1_024));
        uint256 count = harness.count(length, chunkBytes);
        uint256 sum = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 size = harness.sizeOf(length, chunkBytes, i);
            vm.assertTrue(size > 0 && size <= chunkBytes, "size");
            sum += size;
        }
        vm.assertEq(sum, length, "length");
        vm.assertEq(harness.count(0, chunkBytes), 0, "empty");
        vm.assertEq(harness.count(length, 0), 0, "no size");
    }

    function _file(bytes32 domain, ChunkEvidence memory e) private view returns (bytes32) {
        bytes32 leaf = harness.cipherLeaf(domain, 0, keccak256(e.chunk));
        return harness.commitment(domain, e.length, e.chunkBytes, leaf, e.plainLeaf);
    }

    function _crypt(bytes32 key, bytes32 nonce, bytes memory plain) private pure returns (bytes memory chunk) {
        bytes32 seed = keccak256(abi.encode(key, nonce, uint256(0)));
        chunk = new bytes(plain.length);
        for (uint256 i = 0; i < plain.length; ++i) {
            chunk[i] = plain[i] ^ keccak256(abi.encode(seed, i / 32))[i % 32];
        }
    }
}
