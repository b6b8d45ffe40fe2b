// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Standing} from "./Standing.sol";

/// @notice The highest of all that were offered, as many as there are places: a heap whose lowest is on top.
struct Highest {
    Standing[] places;
    uint256 taken;
}

using HighestLib for Highest global;

/// @title Choosing the highest few of many
/// @notice Offering n for m places costs at most n * log2(m) steps, whatever their order.
library HighestLib {
    function create(uint256 places) internal pure returns (Highest memory self) {
        self.places = new Standing[](places);
    }

    /// @notice Takes `offered` in, if a place is free or it stands higher than the lowest, which then goes.
    function offer(Highest memory self, Standing offered) internal pure {
        Standing[] memory heap = self.places;
        unchecked {
            uint256 at = self.taken;
            if (at == heap.length) {
                if (Standing.unwrap(offered) > Standing.unwrap(heap[0])) _sink(heap, heap.length, offered);
                return;
            }
            self.taken = at + 1;
            while (at > 0) {
                uint256 above = (at - 1) >> 1;
                if (Standing.unwrap(heap[above]) <= Standing.unwrap(offered)) break;
                heap[at] = heap[above];
                at = above;
            }
            heap[at] = offered;
        }
    }

    /// @notice All that were taken, in their order, the highest first; nothing can be offered afterwards.
    function ranked(Highest memory self) internal pure returns (Standing[] memory heap) {
        heap = self.places;
        uint256 left = self.taken;
        assembly ("memory-safe") {
            // Places that nobody took are cut off.
            mstore(heap, left)
        }
        unchecked {
            // The lowest of those that are left goes behind them.
            while (left > 1) {
                --left;
                Standing last = heap[left];
                heap[left] = heap[0];
                _sink(heap, left, last);
            }
        }
    }

    /// @dev Puts `standing` where it belongs among the first `size`, of which the top one is gone.
    function _sink(Standing[] memory heap, uint256 size, Standing standing) private pure {
        // Reads and writes the places of the array alone:
        //
        //     heap      + 0x20    + 0x40    + 0x60
        //     +---------+---------+---------+---------+--
        //     | length  | place 0 | place 1 | place 2 | ...
        //     +---------+---------+---------+---------+--
        assembly ("memory-safe") {
            let places := add(heap, 0x20)
            // Where `standing` would go, as an offset; below offset x lie 2 * x + 32 and 2 * x + 64.
            let at := 0
            let end := shl(5, size)
            for { let below := 0x20 } lt(below, end) { below := add(shl(1, at), 0x20) } {
                let lower := mload(add(places, below))
                let beside := add(below, 0x20)
                if lt(beside, end) {
                    let other := mload(add(places, beside))
                    if lt(other, lower) {
                        lower := other
                        below := beside
                    }
                }
                if lt(standing, lower) { break }
                mstore(add(places, at), lower)
                at := below
            }
            mstore(add(places, at), standing)
        }
    }
}
