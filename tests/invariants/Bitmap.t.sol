// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bitmap} from "../../contracts/exchange/Bitmap.sol";
import {Base} from "./Base.sol";
import {PlainShards} from "./PlainShards.sol";
import {ShardsHarness} from "./ShardsHarness.sol";

/// @title Sampled sets held against plain loops
contract BitmapTest is Base {
    uint256 private constant MAX_COUNT = 600;

    ShardsHarness private harness;

    function setUp() public {
        harness = ShardsHarness(deployHarness("ShardsHarness"));
    }

    /// @notice The bit trick counts what a loop counts.
    function testFuzz_PopCountIsTheLoop(uint256 x) public view {
        uint256[] memory bitmap = new uint256[](1);
        bitmap[0] = x;
        vm.assertEq(harness.popCount(x), PlainShards.size(bitmap, 256), "pop count");
    }

    /// @notice Full, empty, single-bit and growing words, where carries would show.
    function test_PopCountOfEdges() public view {
        vm.assertEq(harness.popCount(0), 0, "empty");
        vm.assertEq(harness.popCount(type(uint256).max), 256, "full");
        for (uint256 bits = 0; bits < 256; ++bits) {
            vm.assertEq(harness.popCount((1 << bits) - 1), bits, "lowest bits");
            vm.assertEq(harness.popCount(~((1 << bits) - 1)), 256 - bits, "highest bits");
            vm.assertEq(harness.popCount(1 << bits), 1, "one bit");
        }
    }

    /// @notice The size is the number of shards; a set of other length or beyond the dataset has none.
    function testFuzz_SizeIsTheLoop(uint256[] calldata bitmap, uint256 count) public {
        count = bound(count, 1, MAX_COUNT);
        uint256 words = (count + 255) / 256;
        if (bitmap.length != words) {
            vm.expectRevert(abi.encodeWithSelector(Bitmap.BitmapLength.selector, bitmap.length, words));
        } else if (PlainShards.size(bitmap, 256 * words) != PlainShards.size(bitmap, count)) {
            vm.expectRevert(abi.encodeWithSelector(Bitmap.BitOutOfRange.selector, count));
        }
        uint256 size = harness.size(bitmap, count);
        if (size > 0) vm.assertEq(size, PlainShards.size(bitmap, count), "size");
    }

    /// @notice The same on sets of the right length, where a random array would seldom have it.
    function testFuzz_SizeOfFittingSets(uint256 seed, uint256 count, uint256 members) public view {
        count = bound(count, 1, MAX_COUNT);
        members = bound(members, 0, count);
        uint256[] memory bitmap = PlainShards.draw(bytes32(seed), count, members);
        vm.assertEq(harness.size(bitmap, count), members, "size");
    }

    /// @notice The first bit past the dataset is refused, the last bit in it is not.
    function testFuzz_LastBit(uint256 count) public {
        count = bound(count, 1, MAX_COUNT);
        uint256[] memory bitmap = new uint256[]((count + 255) / 256);
        bitmap[(count - 1) / 256] = 1 << (count - 1) % 256;
        vm.assertEq(harness.size(bitmap, count), 1, "last shard");
        if (count % 256 == 0) return;
        bitmap[count / 256] = 1 << count % 256;
        vm.expectRevert(abi.encodeWithSelector(Bitmap.BitOutOfRange.selector, count));
        harness.size(bitmap, count);
    }

    /// @notice A shard's rank is its position among the members, for any index, even one beyond the words.
    function testFuzz_RankIsThePosition(uint256 seed, uint256 count, uint256 members, uint256 i) public view {
        count = bound(count, 1, MAX_COUNT);
        uint256[] memory bitmap = PlainShards.draw(bytes32(seed), count, bound(members, 0, count));
        (bool contained,) = harness.rank(bitmap, i);
        vm.assertTrue(contained == PlainShards.contains(bitmap, i), "contained, anywhere");
        i = i % count;
        uint256 before;
        (contained, before) = harness.rank(bitmap, i);
        vm.assertTrue(contained == PlainShards.contains(bitmap, i), "contained");
        vm.assertEq(before, PlainShards.size(bitmap, i), "before");
    }

    /// @notice The draw has exactly the wanted size, lies within the dataset and is the plain one.
    function testFuzz_DrawIsThePlainDraw(bytes32 seed, uint256 count, uint256 wanted) public view {
        count = bound(count, 1, MAX_COUNT);
        wanted = bound(wanted, 0, (count + 1) / 2);
        uint256[] memory bitmap = harness.draw(seed, count, wanted);
        vm.assertEq(harness.size(bitmap, count), wanted, "size, all within range");
        vm.assertEq(bitmap, PlainShards.draw(seed, count, wanted), "draw");
    }

    /// @notice A number in the incomplete last multiple of the count is skipped. Random seeds miss it: this one was found
    /// by search, at the count up to 10,000 that leaves the largest rest.
    function test_DrawSkipsTheBiasedNumbers() public view {
        vm.assertEq(
            harness.draw(bytes32(uint256(84740)), 9714, 8), PlainShards.draw(bytes32(uint256(84740)), 9714, 8), "draw"
        );
    }

    /// @notice Every shard is drawn equally often: chi-square of 4,000 draws of 3 of 10 shards, 9 degrees of freedom.
    /// @dev For draws without repetition the statistic is scaled by (count - 1) / (count - wanted); 27.88 is exceeded
    /// once in 1,000 times, and the seeds are fixed.
    function test_DrawIsUniform() public view {
        uint256[10] memory hits;
        for (uint256 seed = 0; seed < 4000; ++seed) {
            uint256 word = harness.draw(bytes32(seed), 10, 3)[0];
            for (uint256 i = 0; i < 10; ++i) {
                hits[i] += word >> i & 1;
            }
        }
        uint256 squares = 0;
        for (uint256 i = 0; i < 10; ++i) {
            uint256 distance = hits[i] > 1200 ? hits[i] - 1200 : 1200 - hits[i];
            squares += distance * distance;
        }
        vm.assertLe(squares * 9 * 100, 2788 * 1200 * 7, "chi-square");
    }

    /// @notice A further draw keeps the set and adds as many as are wanted, as the plain loop does.
    function testFuzz_FurtherDrawIsThePlainOne(bytes32 seed, uint256 count, uint256 known, uint256 wanted) public view {
        count = bound(count, 2, MAX_COUNT);
        known = bound(known, 1, count / 2);
        wanted = bound(wanted, 0, count / 2 - known);
        uint256[] memory sample = PlainShards.draw(~seed, count, known);
        uint256[] memory opened = harness.drawFurther(seed, sample, count, wanted);
        vm.assertEq(harness.size(opened, count), known + wanted, "size, all within range");
        for (uint256 w = 0; w < sample.length; ++w) {
            vm.assertEq(opened[w] & sample[w], sample[w], "the sample is kept");
        }
        PlainShards.drawFurther(seed, sample, count, wanted);
        vm.assertEq(opened, sample, "draw");
    }
}
