// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SelfInformation} from "../../contracts/sum/incentives/SelfInformation.sol";
import {Information} from "../sum/mocks/Information.sol";
import {Base} from "./Base.sol";

/// @title The laws of logarithms, for any quotient that is taken
contract SelfInformationTest is Base {
    uint256 private constant ONE_BIT = 1 << 32;

    Information private information;

    function setUp() public {
        information = new Information();
    }

    /// @notice Powers of two have whole bits, whatever the fraction is written with.
    function testFuzz_PowersOfTwoAreExact(uint256 d, uint256 power) public view {
        power = bound(power, 1, 127);
        d = bound(d, 1, (1 << 128 - power) - 1);
        vm.assertEq(information.bitsOf(d << power, d), power * ONE_BIT, "whole bits");
    }

    /// @notice A coin tells one bit, the rarest event that is taken just short of 128.
    function test_Edges() public view {
        vm.assertEq(information.bitsOf(2, 1), ONE_BIT, "a coin");
        vm.assertEq(information.bitsOf(type(uint128).max, 1), 128 * ONE_BIT - 1, "the rarest");
        vm.assertEq(information.bitsOf(type(uint128).max, type(uint128).max - 1), 0, "nearly certain");
    }

    /// @notice What is less probable never tells less.
    function testFuzz_Monotone(uint256 n, uint256 d, uint256 more, uint256 less) public view {
        (n, d) = _quotient(n, d, 128);
        uint256 bits = information.bitsOf(n, d);
        vm.assertGe(information.bitsOf(bound(more, n, type(uint128).max), d), bits, "more of all");
        vm.assertGe(information.bitsOf(n, bound(less, 1, d)), bits, "less of it");
    }

    /// @notice Only the quotient matters.
    function testFuzz_ScaleIsOfNoMatter(uint256 n, uint256 d, uint256 scale) public view {
        (n, d) = _quotient(n, d, 96);
        scale = bound(scale, 1, 2 ** 32);
        vm.assertEq(information.bitsOf(n * scale, d * scale), information.bitsOf(n, d), "scaled");
    }

    /// @notice The square of a quotient tells twice as much, but for what the floors cut off: an error beyond 2^-31
    /// would show.
    function testFuzz_SquaresTellTwice(uint256 n, uint256 d) public view {
        (n, d) = _quotient(n, d, 64);
        _isWithin(information.bitsOf(n * n, d * d), 2 * information.bitsOf(n, d), 1);
    }

    /// @notice Independent events tell the sum.
    function testFuzz_ProductsTellTheSum(uint256 n, uint256 d, uint256 m, uint256 e) public view {
        (n, d) = _quotient(n, d, 64);
        (m, e) = _quotient(m, e, 64);
        _isWithin(information.bitsOf(n * m, d * e), information.bitsOf(n, d) + information.bitsOf(m, e), 1);
    }

    /// @notice What is no probability, is certain or does not fit is refused.
    function testFuzz_OtherQuotientsAreRefused(uint256 n, uint256 d) public {
        if (0 < d && d < n && n <= type(uint128).max) n = d;
        vm.expectRevert(abi.encodeWithSelector(SelfInformation.NotAProbability.selector, d, n));
        information.bitsOf(n, d);
    }

    /// @notice The first quotients on the other side of each bound.
    function test_FirstQuotientsRefused() public {
        uint256[2][4] memory quotients = [[uint256(1), 0], [uint256(0), 0], [uint256(1), 1], [uint256(1) << 128, 1]];
        for (uint256 i = 0; i < quotients.length; ++i) {
            (uint256 n, uint256 d) = (quotients[i][0], quotients[i][1]);
            vm.expectRevert(abi.encodeWithSelector(SelfInformation.NotAProbability.selector, d, n));
            information.bitsOf(n, d);
        }
    }

    /// @dev At least `low`, at most `slack` more.
    function _isWithin(uint256 bits, uint256 low, uint256 slack) private pure {
        vm.assertGe(bits, low, "too little");
        vm.assertLe(bits, low + slack, "too much");
    }

    /// @dev A quotient of numbers of at most so many bits, near all magnitudes alike.
    function _quotient(uint256 n, uint256 d, uint256 width) private pure returns (uint256, uint256) {
        n = bound(n, 0, type(uint256).max) >> 256 - width + derive(n, "width") % (width - 1);
        n = bound(n, 2, 2 ** width - 1);
        return (n, bound(d >> derive(d, "width") % 256, 1, n - 1));
    }
}
