// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Shards} from "../hyperx/Shards.sol";
import {Level} from "../interfaces/ICleanerSale.sol";

/// @title The tree of a listing's levels
/// @notice Leaf i binds i and the level, hashed twice; nodes and odd levels are as in Shards.sol. The listing's id binds
/// chain, contract, seller and the root. offchain/crypto/listings.py is this file's twin.
library Levels {
    bytes32 private constant LEVEL_TYPE = keccak256("souk.sale.level.v1");

    /// @notice Leaf `index`.
    function leaf(uint256 index, Level calldata level) internal pure returns (bytes32) {
        bytes32 content = keccak256(abi.encode(level));
        return keccak256(abi.encode(Shards.leaf(LEVEL_TYPE, index, content)));
    }

    /// @notice Root over all levels, of which there is one at least.
    function rootOf(Level[] calldata levels) internal pure returns (bytes32) {
        uint256 width = levels.length;
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) {
            nodes[i] = leaf(i, levels[i]);
        }
        while (width > 1) {
            uint256 pairs = width / 2;
            for (uint256 i = 0; i < pairs; ++i) {
                nodes[i] = keccak256(abi.encode(nodes[2 * i], nodes[2 * i + 1]));
            }
            if (width % 2 == 1) nodes[pairs] = nodes[width - 1];
            width = pairs + width % 2;
        }
        return nodes[0];
    }
}
