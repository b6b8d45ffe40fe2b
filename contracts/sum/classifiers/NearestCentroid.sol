// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FeatureCounts} from "./FeatureCounts.sol";
import {Lanes} from "./Lanes.sol";
import {Touched} from "./Touched.sol";

/// @title Nearest centroid (Euclidean) with two to eight classes
/// @notice The centroid of class c is S_c / n_c: n_c samples were learnt, S_c counts in how many of them each feature is
/// active. Predicts the class with the least |x - S_c / n_c|^2, the lowest of several such, and 0 where no class has a
/// sample. A sample of class c adds to S_c and n_c, whatever was predicted.
///
/// Scaling: exact, nothing is rounded. With D_c the sum of S_c over the active features and Q_c = |S_c|^2, the total of
/// {FeatureCounts}, the class sought has the greatest v_c / n_c^2 where v_c = 2 * n_c * D_c - Q_c; fractions are compared
/// by cross-multiplication. D_c < 2^32, so |v_c| < 2^49, and no product reaches 2^82. Q_c <= 65,536 * 65,535^2 < 2^48.
contract NearestCentroid is FeatureCounts {
    constructor(address owner_, uint256 featureCount_, uint256 maxActive_, uint256 classCount_)
        FeatureCounts(owner_, featureCount_, maxActive_, classCount_)
    {}

    function _choose(Touched first, Touched end, uint256) internal view override returns (uint256 label) {
        uint256 sums = _sums(first, end);
        int256 best = 0;
        // No class yet: any fraction is greater than -1 / 0.
        int256 bestSquare = 0;
        uint256 classes = classCount;
        unchecked {
            for (uint256 class = 0; class < classes; ++class) {
                (uint256 samples, uint256 total) = _classOf(class);
                if (samples == 0) continue;
                int256 value = int256(2 * samples * Lanes.sum32(_blockOf(sums, class))) - int256(total);
                int256 square = int256(samples * samples);
                if (bestSquare == 0 || value * bestSquare > best * square) {
                    (label, best, bestSquare) = (class, value, square);
                }
            }
        }
    }

    /// @dev |S + x|^2 - |S|^2 = 2 * D + |x|^2.
    function _growth(Touched first, Touched end, uint256 active, uint256 label)
        internal
        view
        override
        returns (uint256)
    {
        return 2 * Lanes.sum32(_blockOf(_sums(first, end), label)) + active;
    }

    /// @dev Eight sums of 32 bits, of which those in the block of class c add up to D_c: at most 512 words of 2 * 65,535.
    function _sums(Touched first, Touched end) private pure returns (uint256 sums) {
        unchecked {
            for (Touched at = first; at < end; at = at.next()) {
                (uint256 lanes, uint256 ones) = at.read();
                sums += Lanes.pairs16(lanes & ones * 0xffff);
            }
        }
    }
}
