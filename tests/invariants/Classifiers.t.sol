// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../contracts/interfaces/IClassifier.sol";
import {Floating} from "../../contracts/sum/classifiers/Floating.sol";
import {Lanes} from "../../contracts/sum/classifiers/Lanes.sol";
import {Base} from "./Base.sol";
import {PlainClassifiers} from "./PlainClassifiers.sol";

/// @title Arithmetic on lanes, and the classifiers, held against plain loops
contract ClassifiersTest is Base {
    using PlainClassifiers for PlainClassifiers.Counts;

    uint256 private constant LESSONS = 8;

    /// @dev Read here once, not in every run.
    function setUp() public {
        _perceptron(1, 1);
        _counts("NearestCentroid", 1, 2);
        _counts("NaiveBayes", 1, 2);
    }

    /// @notice Bit i of the chunk is lane i.
    function testFuzz_Select12(uint256 chunk) public pure {
        _checkSelect12(chunk & (1 << 21) - 1);
    }

    /// @notice No bit and all, and each alone, as well.
    function test_Select12() public pure {
        _checkSelect12(0);
        _checkSelect12((1 << 21) - 1);
        for (uint256 i = 0; i < 21; ++i) {
            _checkSelect12(1 << i);
        }
    }

    /// @notice All chunks of eight bits; the upper lanes stay empty.
    function test_Select16() public pure {
        for (uint256 chunk = 0; chunk < 256; ++chunk) {
            uint256 ones = Lanes.select16(chunk);
            for (uint256 i = 0; i < 16; ++i) {
                vm.assertEq(ones >> (16 * i) & 0xffff, i < 8 ? chunk >> i & 1 : 0, "lane");
            }
        }
    }

    /// @notice Up and down by one in the lanes named, with its limits, beside lanes that stay.
    function testFuzz_Steps12(uint256 lanes, uint256 chunk, uint8 top) public pure {
        uint256 ones = Lanes.select12(chunk & (1 << 21) - 1);
        // The last lane is at or near the edges half of the time.
        lanes = _withEdges(lanes, 12) & (1 << 252) - 1;
        if (top < 128) lanes = lanes & (1 << 240) - 1 | (uint256(top & 3) + 0xffe & 0xfff) << 240;
        uint256 up = Lanes.increment12(lanes, ones);
        uint256 down = Lanes.decrement12(lanes, ones);
        for (uint256 i = 0; i < 252; i += 12) {
            uint256 lane = lanes >> i & 0xfff;
            uint256 one = ones >> i & 1;
            vm.assertEq(up >> i & 0xfff, lane < 4095 ? lane + one : lane, "up");
            vm.assertEq(down >> i & 0xfff, lane > 1 ? lane - one : lane, "down");
        }
        vm.assertEq((up | down) >> 252, 0, "spare bits");
    }

    /// @notice The same for 16 bits.
    function testFuzz_Steps16(uint256 lanes, uint8 low, uint8 high) public pure {
        uint256 ones = Lanes.select16(low) | Lanes.select16(high) << 128;
        lanes = _withEdges(lanes, 16);
        uint256 up = Lanes.increment16(lanes, ones);
        for (uint256 i = 0; i < 256; i += 16) {
            uint256 lane = lanes >> i & 0xffff;
            vm.assertEq(up >> i & 0xffff, lane < 65_535 ? lane + (ones >> i & 1) : lane, "up");
        }
    }

    /// @notice Twelve words of 21 lanes, even the greatest, are summed without loss.
    function testFuzz_Sums(uint256[12] memory words, bool full) public pure {
        uint256 pairs = 0;
        uint256 expected = 0;
        uint256 expected16 = 0;
        for (uint256 w = 0; w < 12; ++w) {
            words[w] = full ? (1 << 252) - 1 : words[w] >> 4;
            pairs += Lanes.pairs12(words[w]);
            for (uint256 i = 0; i < 252; i += 12) {
                expected += words[w] >> i & 0xfff;
            }
        }
        for (uint256 i = 0; i < 256; i += 16) {
            expected16 += words[0] >> i & 0xffff;
        }
        vm.assertEq(Lanes.sum24(pairs), expected, "12 bits");
        vm.assertEq(Lanes.sum32(Lanes.pairs16(words[0])), expected16, "16 bits");
    }

    /// @notice Keys order quotients as cross-multiplication does, equal quotients of exact numbers alike.
    function testFuzz_QuotientKey(uint128 a, uint128 b, uint128 c, uint128 d, bool same) public pure {
        if (same) (c, d) = (a / 3 * 2, b / 3 * 2);
        if (same) (a, b) = (a / 3, b / 3);
        if (a == 0 || b == 0 || c == 0 || d == 0) return;
        uint256 left = uint256(a) * d;
        uint256 right = uint256(c) * b;
        uint256 keyLeft = _key(a, b);
        uint256 keyRight = _key(c, d);
        vm.assertTrue(left <= right || keyLeft >= keyRight, "order");
        vm.assertTrue(left != right || keyLeft == keyRight, "tie");
    }

    /// @notice Small powers are exact.
    function testFuzz_Power(uint16 base, uint256 n) public pure {
        n = bound(n, 0, 7);
        if (base == 0) return;
        (uint256 mantissa, int256 exponent) = Floating.power(base, n);
        vm.assertEq(mantissa >> uint256(-exponent), uint256(base) ** n, "power");
    }

    /// @notice From any words, any lessons leave the words and give the predictions of the loops.
    function testFuzz_Perceptron(uint256 seed, uint256 count, int16 intercept, bool edges) public {
        _checkPerceptron(seed, bound(count, 1, 600), intercept, edges);
    }

    /// @notice The same where the last feature begins or ends a word of the model or of the sample, or both.
    function test_PerceptronAtTheEnds() public {
        uint16[20] memory counts =
            [1, 20, 21, 22, 42, 251, 252, 253, 255, 256, 257, 273, 504, 505, 511, 512, 513, 1000, 1008, 5377];
        for (uint256 i = 0; i < counts.length; ++i) {
            _checkPerceptron(i, counts[i], 1, i % 2 == 0);
        }
    }

    /// @notice Each feature alone moves its own weight and is the one that is summed, wherever its word begins.
    function test_EveryFeatureHasItsWeight() public {
        uint256 count = 1000;
        IClassifier model = _perceptron(count, 1);
        model.open(address(this));
        uint256[] memory words = new uint256[](model.wordCount());
        for (uint256 i = 0; i < count; ++i) {
            uint256[] memory sample = new uint256[](4);
            sample[i / 256] = 1 << (i % 256);
            vm.assertEq(model.learn(sample, 1), 0, "not taught yet");
            vm.assertEq(model.predict(sample), 1, "taught");
            words[i / 21] |= 1 << (12 * (i % 21));
        }
        vm.assertEq(model.exportWords(0, words.length), words, "words");
    }

    /// @notice The greatest sum is not cut: all weights are at an end, and the intercept decides.
    function test_GreatestSum() public {
        uint256 count = 512 * 21;
        uint256[] memory sample = new uint256[](count / 256);
        for (uint256 w = 0; w < sample.length; ++w) {
            sample[w] = type(uint256).max;
        }
        for (uint256 end = 2047; end < 2049; ++end) {
            IClassifier model = _perceptron(count, count);
            uint256[] memory words = new uint256[](513);
            for (uint256 i = 0; i < 512; ++i) {
                words[i] = end * Lanes.ONES_12;
            }
            int256 sum = (end == 2047 ? int256(2047) : -2048) * int256(count);
            words[512] = uint256(-sum);
            model.initialise(0, words);
            vm.assertEq(model.predict(sample), 0, "0");
            words[512] = uint256(1 - sum);
            model.initialise(0, words);
            vm.assertEq(model.predict(sample), 1, "1");
        }
    }

    /// @notice A word with any of its highest four bits set is none of weights.
    function testFuzz_SpareBits(uint256 word, uint256 shift) public {
        word >>= shift % 6;
        IClassifier model = _perceptron(22, 22);
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        if (word >> 252 != 0) vm.expectRevert(abi.encodeWithSignature("SpareBitsSet(uint256,uint256)", 1, word));
        model.initialise(1, words);
    }

    function _checkSelect12(uint256 chunk) private pure {
        uint256 ones = Lanes.select12(chunk);
        for (uint256 i = 0; i < 22; ++i) {
            vm.assertEq(ones >> (12 * i) & 0xfff, chunk >> i & 1, "lane");
        }
    }

    function _checkPerceptron(uint256 seed, uint256 count, int16 intercept, bool edges) private {
        IClassifier model = _perceptron(count, count);
        uint256[] memory words = new uint256[](model.wordCount());
        for (uint256 i = 0; i + 1 < words.length; ++i) {
            uint256 word = _random(seed, i) >> 4;
            // Weights near the limits, or all of them.
            words[i] = edges ? word & Lanes.ONES_12 ^ (word & 2 == 0 ? 0x7ff : 0x800) * Lanes.ONES_12 : word;
        }
        words[words.length - 1] = uint256(int256(intercept));
        model.initialise(0, words);
        model.open(address(this));
        for (uint256 lesson = 0; lesson < LESSONS; ++lesson) {
            uint256[] memory sample = _sample(_random(seed, 1000 + lesson), count, count);
            uint256 expected = PlainClassifiers.perceptron(words, count, sample);
            vm.assertEq(model.predict(sample), expected, "prediction");
            vm.assertEq(model.learn(sample, lesson & 1), expected, "prediction of the lesson");
            PlainClassifiers.teachPerceptron(words, count, sample, lesson & 1);
            vm.assertEq(model.exportWords(0, words.length), words, "words");
        }
    }

    /// @notice With any number of classes, the distance computed feature by feature decides.
    function testFuzz_NearestCentroid(uint256 seed, uint256 count, uint256 classes) public {
        count = bound(count, 1, 100);
        classes = bound(classes, 2, 8);
        IClassifier model = _counts("NearestCentroid", count, classes);
        PlainClassifiers.Counts memory plain = PlainClassifiers.empty(classes, count);
        model.open(address(this));
        for (uint256 lesson = 0; lesson < LESSONS; ++lesson) {
            uint256[] memory sample = _sample(_random(seed, lesson), count, count);
            uint256 label = _random(seed, 1000 + lesson) % classes;
            vm.assertEq(model.predict(sample), plain.nearestCentroid(sample), "prediction");
            vm.assertEq(model.learn(sample, label), plain.nearestCentroid(sample), "prediction of the lesson");
            plain.teachCounts(sample, label);
        }
    }

    /// @notice With any number of classes, the product of fractions decides, also between equals.
    function testFuzz_NaiveBayes(uint256 seed, uint256 count, uint256 classes) public {
        count = bound(count, 1, 100);
        classes = bound(classes, 2, 8);
        IClassifier model = _counts("NaiveBayes", count, classes);
        PlainClassifiers.Counts memory plain = PlainClassifiers.empty(classes, count);
        model.open(address(this));
        for (uint256 lesson = 0; lesson < LESSONS; ++lesson) {
            uint256[] memory sample = _sample(_random(seed, lesson), count, 12);
            uint256 label = _random(seed, 1000 + lesson) % classes;
            vm.assertEq(model.predict(sample), plain.naiveBayes(sample), "prediction");
            vm.assertEq(model.learn(sample, label), plain.naiveBayes(sample), "prediction of the lesson");
            plain.teachCounts(sample, label);
        }
    }

    /// @notice The greatest sample of the greatest perceptron is taught for less than 15 million gas, from zero words.
    function test_GreatestLesson() public {
        IClassifier model = _perceptron(512 * 21, 512 * 21);
        model.open(address(this));
        uint256[] memory sample = new uint256[](42);
        for (uint256 w = 0; w < 42; ++w) {
            sample[w] = type(uint256).max;
        }
        uint256 before = gasleft();
        model.learn(sample, 1);
        vm.assertLe(before - gasleft(), 14_000_000, "gas");
        vm.assertEq(model.exportWords(511, 1)[0], Lanes.ONES_12, "taught");
    }

    /// @notice The same for naive Bayes, whose products cost most, with two and with eight classes.
    function test_GreatestLessonOfBayes() public {
        for (uint256 classes = 2; classes <= 8; classes += 6) {
            uint256 count = classes == 2 ? 4096 : 1024;
            IClassifier model = _counts("NaiveBayes", count, classes);
            model.open(address(this));
            uint256[] memory sample = new uint256[](count / 256);
            for (uint256 w = 0; w < sample.length; ++w) {
                sample[w] = type(uint256).max;
            }
            for (uint256 label = 0; label < classes; ++label) {
                uint256 before = gasleft();
                model.learn(sample, label);
                vm.assertLe(before - gasleft(), 14_000_000, "gas");
            }
            vm.assertEq(model.predict(sample), 0, "all alike");
        }
    }

    /// @notice One class is none to choose from, and nine have no room.
    function testFuzz_ClassCount(uint256 classes) public {
        if (classes >= 2 && classes <= 8) {
            vm.assertEq(_counts("NaiveBayes", 10, classes).classCount(), classes, "classes");
        } else {
            vm.expectRevert(abi.encodeWithSignature("ClassCountOutOfRange(uint256,uint256)", classes, 8));
            _counts("NaiveBayes", 10, classes);
        }
    }

    function _perceptron(uint256 count, uint256 most) private returns (IClassifier) {
        return IClassifier(deploy("SparsePerceptron", abi.encode(address(this), count, most)));
    }

    /// @dev A classifier that counts features by class.
    function _counts(string memory name, uint256 count, uint256 classes) private returns (IClassifier) {
        return IClassifier(deploy(name, abi.encode(address(this), count, count, classes)));
    }

    function _key(uint256 a, uint256 b) private pure returns (uint256) {
        (uint256 above, int256 aboveExponent) = Floating.from(a, 0);
        (uint256 below, int256 belowExponent) = Floating.from(b, 0);
        return Floating.quotientKey(above, aboveExponent, below, belowExponent);
    }

    function _random(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }

    /// @dev 1 to `most` features, drawn with replacement.
    function _sample(uint256 seed, uint256 count, uint256 most) private pure returns (uint256[] memory sample) {
        sample = new uint256[]((count + 255) / 256);
        uint256 draws = 1 + seed % most;
        for (uint256 i = 0; i < draws; ++i) {
            uint256 feature = _random(seed, i) % count;
            sample[feature / 256] |= 1 << (feature % 256);
        }
    }

    /// @dev The lowest four lanes hold 0, 1, the greatest and one less.
    function _withEdges(uint256 lanes, uint256 bits) private pure returns (uint256) {
        uint256 top = (1 << bits) - 1;
        return lanes >> 4 * bits << 4 * bits | (top - 1) << 3 * bits | top << 2 * bits | 1 << bits;
    }
}
