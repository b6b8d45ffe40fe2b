// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice How a price rises above `useful`: one price; straight between points; from each point on.
enum Curve {
    Binary,
    Piecewise,
    Menu
}

/// @notice A score in units and its price in the smallest unit.
struct Point {
    int64 score;
    uint96 price;
}

/// @notice From a set's score to its price (MDE, section 5.2).
/// @param curve how the price rises
/// @param floor what redundant data fetches
/// @param cap most that is paid
/// @param harmful below it data is worth nothing
/// @param useful up to it data is worth the floor, above it at least one unit more
/// @param points by rising score, prices not falling; one for a binary price
struct PriceRule {
    Curve curve;
    uint96 floor;
    uint96 cap;
    int64 harmful;
    int64 useful;
    Point[] points;
}

/// @title Prices by the rule that an order commits to
/// @notice That scores rise, prices do not fall and there is a point at all is the buyer's to see to and the seller's to
/// check before it signs. offchain/mde/pricing.py is this file's twin.
library PriceRules {
    /// @notice The commitment to a rule.
    function hash(PriceRule calldata rule) internal pure returns (bytes32) {
        return keccak256(abi.encode(rule));
    }

    /// @notice What a set of that score fetches.
    function priceOf(PriceRule calldata rule, int256 score) internal pure returns (uint256) {
        if (score < rule.harmful) return 0;
        uint256 floor = rule.floor;
        if (score <= rule.useful) return floor;
        uint256 price = _worth(rule, score);
        if (price <= floor) price = floor + 1;
        return price < rule.cap ? price : rule.cap;
    }

    function _worth(PriceRule calldata rule, int256 score) private pure returns (uint256 worth) {
        Point[] calldata points = rule.points;
        if (rule.curve == Curve.Binary) return points[0].price;
        bool straight = rule.curve == Curve.Piecewise;
        if (straight) worth = points[0].price;
        for (uint256 i = 0; i < points.length; ++i) {
            Point calldata point = points[i];
            if (score < point.score) {
                if (!straight || i == 0) return worth;
                int256 low = points[i - 1].score;
                // worth is the price of the point before.
                return worth + (point.price - worth) * uint256(score - low) / uint256(point.score - low);
            }
            worth = point.price;
        }
    }
}
