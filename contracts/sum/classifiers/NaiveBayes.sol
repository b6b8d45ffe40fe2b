// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FeatureCounts} from "./FeatureCounts.sol";
import {Floating} from "./Floating.sol";
import {Touched} from "./Touched.sol";

/// @title Multinomial naive Bayes with Laplace smoothing, two to eight classes
/// @notice Of class c, n_c samples were learnt, S_c[i] of them have feature i, and T_c, the total of {FeatureCounts}, is
/// the sum of S_c. Predicts the class with the greatest n_c * product over the active features of
/// (S_c[i] + 1) / (T_c + featureCount), the lowest of several such, and 0 where no class has a sample. A sample of class c
/// adds to S_c, T_c and n_c, whatever was predicted.
///
/// Scaling: numerator and denominator are products of integers, kept to their 128 highest bits at least and rounded down
/// at each step, so that a probability is right to one part in 2^110. Classes closer than that to one another are a tie,
/// which falls the same way here and in Python.
contract NaiveBayes is FeatureCounts {
    constructor(address owner_, uint256 featureCount_, uint256 maxActive_, uint256 classCount_)
        FeatureCounts(owner_, featureCount_, maxActive_, classCount_)
    {}

    function _choose(Touched first, Touched end, uint256 active) internal view override returns (uint256 label) {
        uint256 best = 0;
        uint256 classes = classCount;
        uint256 features = featureCount;
        unchecked {
            for (uint256 class = 0; class < classes; ++class) {
                (uint256 samples, uint256 total) = _classOf(class);
                if (samples == 0) continue;
                (uint256 a, int256 aExponent) = _numerator(first, end, class, samples);
                (uint256 b, int256 bExponent) = Floating.power(total + features, active);
                uint256 key = Floating.quotientKey(a, aExponent, b, bExponent);
                if (key > best) (label, best) = (class, key);
            }
        }
    }

    function _growth(Touched, Touched, uint256 active, uint256) internal pure override returns (uint256) {
        return active;
    }

    /// @dev `samples` times S + 1 of each active feature.
    function _numerator(Touched first, Touched end, uint256 class, uint256 samples)
        private
        view
        returns (uint256 mantissa, int256 exponent)
    {
        uint256 product = samples;
        int256 cut = 0;
        unchecked {
            for (Touched at = first; at < end; at = at.next()) {
                (uint256 lanes, uint256 ones) = at.read();
                // Four lanes at a time: below 2**192 the product has room for four factors of at most 2**16. Lanes that
                // the sample does not name are 0 here, and their factor is 1.
                for (uint256 rest = _blockOf(lanes & ones * 0xffff, class); rest != 0; rest >>= 64) {
                    product *= ((rest & 0xffff) + 1) * ((rest >> 16 & 0xffff) + 1) * ((rest >> 32 & 0xffff) + 1)
                        * ((rest >> 48 & 0xffff) + 1);
                    if (product >> 192 != 0) {
                        product >>= 64;
                        cut += 64;
                    }
                }
            }
        }
        return Floating.from(product, cut);
    }
}
