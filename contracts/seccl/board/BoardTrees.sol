// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MessageKind} from "../../interfaces/IBulletinBoard.sol";
import {MerkleTree} from "../../exchange/MerkleTree.sol";

/// @title The trees of a board: its members, and the messages of a batch
/// @notice Leaf i is the hash of the hash of three words: a domain, i, and the value. The index decides the leaf's place,
/// so that whoever shows what lies there shows that nothing else does. Nodes and odd levels are as in MerkleTree.sol.
/// offchain/seccl/board.py is this file's twin.
library BoardTrees {
    bytes32 private constant MEMBER_TYPE = keccak256("souk.board.member.v1");
    bytes32 private constant BATCH_TYPE = keccak256("souk.board.batch.v1");

    /// @notice Root that member `index` and its siblings yield.
    /// @dev Requirements: the path holds exactly the siblings (ProofLength). `index` is below `count`.
    function memberRoot(uint256 count, uint256 index, address member, bytes32[] calldata path)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(abi.encode(MEMBER_TYPE, block.chainid, address(this)));
        return MerkleTree.pathRoot(count, index, _leaf(domain, index, bytes32(uint256(uint160(member)))), path);
    }

    /// @notice Root that the message of author `index` and its siblings yield; a zero message stands for none.
    /// @dev Requirements: the path holds exactly the siblings (ProofLength). `index` is below `count`.
    function batchRoot(
        uint256 count,
        bytes32 session,
        uint256 round,
        MessageKind kind,
        uint256 index,
        bytes32 message,
        bytes32[] calldata path
    ) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(BATCH_TYPE, block.chainid, address(this), session, round, kind));
        return MerkleTree.pathRoot(count, index, _leaf(domain, index, message), path);
    }

    function _leaf(bytes32 domain, uint256 index, bytes32 value) private pure returns (bytes32) {
        return keccak256(abi.encode(MerkleTree.leaf(domain, index, value)));
    }
}
