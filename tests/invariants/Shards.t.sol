// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MerkleTree} from "../../contracts/exchange/MerkleTree.sol";
import {Base} from "./Base.sol";
import {PlainShards} from "./PlainShards.sol";
import {ShardsHarness} from "./ShardsHarness.sol";

/// @title The trees of Shards.sol and MerkleTree.sol held against a plain version
contract ShardsTest is Base {
    using PlainShards for bytes32[];

    uint256 private constant MAX_COUNT = 600;

    ShardsHarness private harness;

    struct Tree {
        PlainShards.Party party;
        uint256 count;
        uint256[] bitmap;
        bytes32[] addresses;
        bytes32[] leaves;
        bytes32[] sampled;
        bytes32[] proof;
    }

    function setUp() public {
        harness = ShardsHarness(deployHarness("ShardsHarness"));
    }

    /// @notice The root a claim rebuilds is the root of the tree as the documentation draws it.
    function testFuzz_KeyRootIsThePlainRoot(address provider, bytes32 sessionKey, uint256 count) public view {
        count = bound(count, 1, MAX_COUNT);
        bytes32[] memory leaves = PlainShards.keyLeaves(_party(provider), sessionKey, count);
        vm.assertEq(harness.keyRoot(provider, sessionKey, count), leaves.rootOf(), "key root");
    }

    /// @notice Every small width, so that each odd level occurs, and the words after an array stay out of the root.
    function test_RootsOfEveryWidthTo130() public view {
        address provider = address(0xabc);
        for (uint256 count = 1; count <= 130; ++count) {
            bytes32[] memory keys = PlainShards.keyLeaves(_party(provider), "key", count);
            vm.assertEq(harness.keyRoot(provider, "key", count), keys.rootOf(), "key root");
            bytes32[] memory addresses = _words(count, count);
            bytes32[] memory leaves = PlainShards.addressLeaves(_party(provider), addresses);
            vm.assertEq(harness.addressRoot(provider, addresses), leaves.rootOf(), "address root");
        }
    }

    /// @notice The same for addresses, which come from calldata.
    function testFuzz_AddressRootIsThePlainRoot(address provider, uint256 seed, uint256 count) public view {
        bytes32[] memory addresses = _words(seed, bound(count, 1, MAX_COUNT));
        bytes32[] memory leaves = PlainShards.addressLeaves(_party(provider), addresses);
        vm.assertEq(harness.addressRoot(provider, addresses), leaves.rootOf(), "address root");
    }

    /// @notice Any sample with its siblings yields the root of all addresses.
    function testFuzz_MultiproofYieldsTheRoot(address provider, uint256 seed, uint256 count, uint256 share)
        public
        view
    {
        Tree memory tree = _tree(provider, seed, count, share);
        vm.assertEq(_multiproofRoot(tree), tree.leaves.rootOf(), "multiproof");
    }

    /// @notice One sibling too few is refused by name, whatever lies behind the proof in calldata.
    function testFuzz_MissingSiblingIsRefused(address provider, uint256 seed, uint256 count, uint256 share) public {
        Tree memory tree = _tree(provider, seed, count, share);
        uint256 needed = tree.proof.length;
        if (needed == 0) return;
        tree.proof = _cut(tree.proof, needed - 1);
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.ProofLength.selector, needed - 1, needed));
        _multiproofRoot(tree);
    }

    /// @notice One sibling too many is refused by name: a proof has one form.
    function testFuzz_SuperfluousSiblingIsRefused(address provider, uint256 seed, uint256 count, uint256 share) public {
        Tree memory tree = _tree(provider, seed, count, share);
        uint256 needed = tree.proof.length;
        tree.proof = _cut(tree.proof, needed + 1);
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.ProofLength.selector, needed + 1, needed));
        _multiproofRoot(tree);
    }

    /// @notice Changing any one address, sibling or position yields another root.
    function testFuzz_MultiproofBindsEveryWord(
        address provider,
        uint256 seed,
        uint256 count,
        uint256 share,
        uint256 where,
        bytes32 other
    ) public view {
        Tree memory tree = _tree(provider, seed, count, share);
        where = where % (tree.sampled.length + tree.proof.length);
        bytes32[] memory words = where < tree.sampled.length ? tree.sampled : tree.proof;
        uint256 i = where < tree.sampled.length ? where : where - tree.sampled.length;
        if (words[i] == other) return;
        words[i] = other;
        vm.assertNotEq(_multiproofRoot(tree), tree.leaves.rootOf(), "a changed word passed");
    }

    /// @notice Each leaf with its path yields the root; the path of another index does not.
    function testFuzz_PathYieldsTheRoot(uint256 seed, uint256 count, uint256 index) public view {
        bytes32[] memory leaves = _words(seed, bound(count, 1, MAX_COUNT));
        index = index % leaves.length;
        bytes32[] memory path = leaves.path(index);
        vm.assertEq(harness.pathRoot(leaves.length, index, leaves[index], path), leaves.rootOf(), "path");
    }

    /// @notice A path of any other length is refused by name.
    function testFuzz_PathOfWrongLengthIsRefused(uint256 seed, uint256 count, uint256 index, uint256 length) public {
        bytes32[] memory leaves = _words(seed, bound(count, 1, MAX_COUNT));
        index = index % leaves.length;
        bytes32[] memory path = leaves.path(index);
        uint256 needed = path.length;
        length = bound(length, 0, 2 * needed + 1);
        if (length == needed) return;
        vm.expectRevert(abi.encodeWithSelector(MerkleTree.ProofLength.selector, length, needed));
        harness.pathRoot(leaves.length, index, leaves[index], _cut(path, length));
    }

    /// @notice A node of the tree cannot be sold as a leaf: its path is too short for the agreed count, and as an
    /// address it is hashed as three words where the tree hashed two.
    function testFuzz_NodeIsNoLeaf(address provider, uint256 seed, uint256 count, uint256 index) public {
        bytes32[] memory addresses = _words(seed, bound(count, 4, MAX_COUNT));
        bytes32[] memory leaves = PlainShards.addressLeaves(_party(provider), addresses);
        bytes32[] memory above = leaves.parents();
        index = index % (leaves.length / 2);

        bytes32 asAddress = PlainShards.addressLeaves(_party(provider), _cut(above, leaves.length))[index];
        bytes32[] memory path = above.path(index);
        vm.assertNotEq(asAddress, above[index], "a leaf equals a node");
        vm.assertEq(harness.pathRoot(above.length, index, above[index], path), leaves.rootOf(), "the node's own path");
        vm.expectPartialRevert(MerkleTree.ProofLength.selector);
        harness.pathRoot(leaves.length, index, above[index], path);
    }

    /// @notice Trees of another provider or another session share no root, so nobody can register a stolen one.
    function testFuzz_RootsBindTheParty(address provider, address other, bytes32 sessionKey, uint256 count) public {
        if (provider == other) return;
        count = bound(count, 1, 40);
        bytes32 root = harness.keyRoot(provider, sessionKey, count);
        vm.assertNotEq(root, harness.keyRoot(other, sessionKey, count), "provider");
        vm.assertNotEq(
            root, ShardsHarness(deployHarness("ShardsHarness")).keyRoot(provider, sessionKey, count), "session"
        );
        bytes32[] memory addresses = _words(uint256(sessionKey), count);
        vm.assertNotEq(
            harness.addressRoot(provider, addresses), harness.addressRoot(other, addresses), "provider's addresses"
        );
    }

    /// @notice The hashes that commitments are folded from are the documented ones.
    function testFuzz_PledgesAreThePlainHashes(
        bytes32 keys,
        bytes32 addresses,
        bytes26 commitment,
        uint256 oneTimeKey,
        uint256 ephemeralX,
        bytes32[] calldata sealedKeys
    ) public view {
        vm.assertEq(harness.rootsHash(keys, addresses), PlainShards.rootsHash(keys, addresses), "roots");
        bytes26 folded = bytes26(keccak256(abi.encode(commitment, keys)));
        vm.assertEq(harness.fold(commitment, keys), folded, "fold");
        bytes32 review = PlainShards.reviewHash(oneTimeKey, ephemeralX, sealedKeys);
        vm.assertEq(harness.reviewHash(oneTimeKey, ephemeralX, sealedKeys), review, "review");
    }

    function _party(address provider) private view returns (PlainShards.Party memory) {
        return PlainShards.Party(address(harness), provider);
    }

    /// @dev A dataset of `count` addresses, a sample of it and the sample's proof.
    function _tree(address provider, uint256 seed, uint256 count, uint256 share)
        private
        view
        returns (Tree memory tree)
    {
        tree.count = bound(count, 1, MAX_COUNT);
        tree.party = _party(provider);
        tree.addresses = _words(seed, tree.count);
        tree.leaves = PlainShards.addressLeaves(tree.party, tree.addresses);
        tree.bitmap = PlainShards.draw(bytes32(seed), tree.count, bound(share, 1, tree.count));
        uint256[] memory members = PlainShards.members(tree.bitmap, tree.count);
        tree.sampled = new bytes32[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            tree.sampled[i] = tree.addresses[members[i]];
        }
        tree.proof = tree.leaves.multiproof(PlainShards.flags(tree.bitmap, tree.count));
    }

    function _multiproofRoot(Tree memory tree) private view returns (bytes32) {
        return harness.multiproofRoot(tree.party.provider, tree.count, tree.bitmap, tree.sampled, tree.proof);
    }

    function _words(uint256 seed, uint256 count) private pure returns (bytes32[] memory words) {
        words = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            words[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev The first `length` words, filled up with zeros.
    function _cut(bytes32[] memory words, uint256 length) private pure returns (bytes32[] memory result) {
        result = new bytes32[](length);
        for (uint256 i = 0; i < length && i < words.length; ++i) {
            result[i] = words[i];
        }
    }
}
