// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Goods, Level, Offer} from "../interfaces/ICleanerSale.sol";

/// @title The tree of a listing's offers
/// @notice Leaf i binds i, price and goods, hashed twice. Nodes hash two words, the smaller one first, as OpenZeppelin's
/// MerkleProof does; a level of odd width hands its last node up unchanged. offchain/hide/sale/listings.py is this file's twin.
library Levels {
    bytes32 private constant OFFER_TYPE = keccak256("souk.sale.offer.v1");

    /// @notice Leaf `index`.
    function leaf(uint256 index, uint256 price, bytes32 goods) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(OFFER_TYPE, index, price, goods))));
    }

    /// @notice Root that offer `index` and its siblings yield.
    function pathRoot(uint256 index, Offer calldata offer, bytes32[] calldata path) internal pure returns (bytes32) {
        return MerkleProof.processProofCalldata(path, leaf(index, offer.price, offer.goods));
    }

    /// @notice The hash of what is sold at a level.
    function goodsHash(Goods memory goods) internal pure returns (bytes32) {
        return keccak256(abi.encode(goods));
    }

    /// @notice Root over all offers, of which there is one at least.
    function rootOf(bytes32 task, Level[] calldata levels) internal pure returns (bytes32) {
        uint256 width = levels.length;
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) {
            Level calldata level = levels[i];
            bytes32 goods = goodsHash(Goods(task, level.accuracyBps, level.file, level.keyHash));
            nodes[i] = leaf(i, level.price, goods);
        }
        while (width > 1) {
            uint256 pairs = width / 2;
            for (uint256 i = 0; i < pairs; ++i) {
                nodes[i] = Hashes.commutativeKeccak256(nodes[2 * i], nodes[2 * i + 1]);
            }
            if (width % 2 == 1) nodes[pairs] = nodes[width - 1];
            width = pairs + width % 2;
        }
        return nodes[0];
    }
}
