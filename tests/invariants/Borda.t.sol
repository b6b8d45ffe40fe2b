// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Borda} from "../../contracts/seccl/borda/Borda.sol";
import {Base} from "./Base.sol";
import {BordaHarness} from "./BordaHarness.sol";

/// @title The scoring of BordaConsensus held against a plain version
contract BordaTest is Base {
    BordaHarness private harness;

    function setUp() public {
        harness = BordaHarness(deployHarness("BordaHarness"));
    }

    /// @notice Position k of a ranking gets winners - k points, everybody else none, at any size.
    function testFuzz_RankingGivesPointsByPosition(uint256 seed, uint256 members, uint256 winners) public view {
        BordaHarness.Size memory size = _size(seed, members, winners);
        uint256 voter = seed % size.members;
        uint256[] memory order = _shuffled(seed, size.members, voter);
        uint256[] memory given = harness.points(0, _packed(order, size), voter, size);
        vm.assertEq(given, _plainPoints(order, size), "points");
    }

    /// @notice A single name changed to the voter's own, to another's, or to nobody's is refused by name.
    function testFuzz_RankingIsChecked(uint256 seed, uint256 members, uint256 winners, uint256 where) public {
        BordaHarness.Size memory size = _size(seed, members, winners);
        uint256 voter = seed % size.members;
        uint256[] memory order = _shuffled(seed, size.members, voter);
        where = where % size.winners;
        uint256 name = order[where];

        order[where] = voter;
        vm.expectRevert(abi.encodeWithSelector(Borda.SelfVote.selector, voter));
        harness.points(0, _packed(order, size), voter, size);

        uint256 limit = size.members <= 256 ? 256 : 65_536;
        if (size.members < limit) {
            order[where] = size.members + seed % (limit - size.members);
            vm.expectRevert(abi.encodeWithSelector(Borda.UnknownCandidate.selector, order[where], size.members));
            harness.points(0, _packed(order, size), voter, size);
        }

        order[where] = name;
        if (size.winners > 1) {
            order[where] = order[(where + 1 + seed % (size.winners - 1)) % size.winners];
            vm.expectRevert(abi.encodeWithSelector(Borda.DuplicateCandidate.selector, order[where]));
            harness.points(0, _packed(order, size), voter, size);
        }
    }

    /// @notice Scores give what the ranking by scores gives, equal ones by hash: few values, hence many equal ones.
    function testFuzz_ScoresGiveTheRankingsPoints(uint256 seed, uint256 members, uint256 winners, uint16 values)
        public
        view
    {
        BordaHarness.Size memory size = _size(seed, members, winners);
        uint256 voter = seed % size.members;
        uint256[] memory scores = new uint256[](size.members);
        bytes memory content = new bytes(2 * size.members);
        for (uint256 i = 0; i < size.members; ++i) {
            scores[i] = i == voter ? 0 : uint256(keccak256(abi.encode(seed, i))) % (uint256(values) + 1);
            content[2 * i] = bytes1(uint8(scores[i] >> 8));
            content[2 * i + 1] = bytes1(uint8(scores[i]));
        }
        uint256[] memory order = _plainOrder(scores, size.seed, voter);
        vm.assertEq(harness.points(1, content, voter, size), _plainPoints(order, size), "points");
    }

    /// @notice Under other numbers every member keeps its points, and who wins without a tie still wins.
    function testFuzz_RenamingMembersRenamesTheResult(uint256 seed, uint256 members, uint256 winners) public view {
        BordaHarness.Size memory size = _size(seed, members, winners);
        uint256[] memory names = _shuffled(derive(seed, "names"), size.members + 1, size.members);
        uint256[] memory totals = new uint256[](size.members);
        uint256[] memory renamed = new uint256[](size.members);
        for (uint256 voter = 0; voter < size.members && voter < 9; ++voter) {
            uint256[] memory order = _shuffled(uint256(keccak256(abi.encode(seed, voter))), size.members, voter);
            _add(totals, harness.points(0, _packed(order, size), voter, size));
            for (uint256 i = 0; i < order.length; ++i) {
                order[i] = names[order[i]];
            }
            _add(renamed, harness.points(0, _packed(order, size), names[voter], size));
        }

        uint256[] memory before = harness.highest(totals, size, 0);
        uint256[] memory afterwards = harness.highest(renamed, size, 0);
        bool[] memory won = new bool[](size.members);
        for (uint256 k = 0; k < before.length; ++k) {
            vm.assertEq(renamed[afterwards[k]], totals[before[k]], "points of the winners");
            won[afterwards[k]] = true;
        }
        uint256 lowest = totals[before[before.length - 1]];
        for (uint256 i = 0; i < size.members; ++i) {
            vm.assertEq(renamed[names[i]], totals[i], "points of a member");
            vm.assertTrue(won[names[i]] || totals[i] <= lowest, "a winner that lost by its number");
        }
    }

    /// @notice The highest of all, wherever the choice is cut in two.
    function testFuzz_HighestIsTheSortedHead(uint256 seed, uint256 members, uint256 winners, uint256 cut, uint32 range)
        public
        view
    {
        BordaHarness.Size memory size = _size(seed, members, winners);
        uint256[] memory values = new uint256[](size.members);
        for (uint256 i = 0; i < size.members; ++i) {
            values[i] = uint256(keccak256(abi.encode(seed, i))) % (uint256(range) + 1);
        }
        uint256[] memory order = _plainOrder(values, size.seed, size.members);
        vm.assertEq(harness.highest(values, size, cut % (size.members + 1)), _head(order, size.winners), "highest");
    }

    /// @notice Adding the points of every possible ballot for one candidate stays in its lane, at every size.
    function test_LanesHoldTheMostOneCandidateGets() public view {
        for (uint256 members = 2; members <= 1_024; members = members * 5 / 4 + 1) {
            for (uint256 winners = 1; winners < members; winners = winners * 3 / 2 + 1) {
                uint256 bits = harness.laneBits(members, winners);
                uint256 most = (members - 1) * winners;
                vm.assertTrue(most < 1 << bits && most >= 1 << bits - 1, "lane");
            }
        }
        vm.assertEq(harness.laneBits(1_024, 1_023), 20, "widest lane");
    }

    /// @notice A slot that another round wrote is empty to this one.
    function testFuzz_SlotsBelongToOneRound(uint16 wrote, uint240 content, uint16 round) public view {
        if (wrote == type(uint16).max || round == type(uint16).max) return;
        vm.assertEq(harness.during(wrote, content, round), wrote == round ? content : 0, "content");
    }

    // ---------------------------------------------------------------- the plain version

    function _size(uint256 seed, uint256 members, uint256 winners)
        private
        pure
        returns (BordaHarness.Size memory size)
    {
        size.members = bound(members, 2, derive(seed, "large") % 8 == 0 ? 300 : 40);
        size.winners = bound(winners, 1, size.members - 1);
        if (size.winners > 100) size.winners = 100;
        size.seed = bytes16(keccak256(abi.encode(seed)));
    }

    /// @dev All members but the voter, in some order.
    function _shuffled(uint256 seed, uint256 members, uint256 voter) private pure returns (uint256[] memory order) {
        order = new uint256[](members - 1);
        for (uint256 i = 0; i < order.length; ++i) {
            order[i] = i < voter ? i : i + 1;
        }
        for (uint256 i = order.length - 1; i > 0; --i) {
            uint256 j = uint256(keccak256(abi.encode(seed, "shuffle", i))) % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    /// @dev All but `leftOut`, by value and then by hash, the greatest first.
    function _plainOrder(uint256[] memory values, bytes16 seed, uint256 leftOut)
        private
        pure
        returns (uint256[] memory order)
    {
        order = new uint256[](leftOut < values.length ? values.length - 1 : values.length);
        bytes26[] memory hashes = new bytes26[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            hashes[i] = bytes26(keccak256(abi.encode(seed, i)));
        }
        for (uint256 i = 0; i < order.length; ++i) {
            uint256 one = i < leftOut ? i : i + 1;
            uint256 at = i;
            for (; at > 0 && _above(values, hashes, one, order[at - 1]); --at) {
                order[at] = order[at - 1];
            }
            order[at] = one;
        }
    }

    function _above(uint256[] memory values, bytes26[] memory hashes, uint256 a, uint256 b)
        private
        pure
        returns (bool)
    {
        return values[a] == values[b] ? hashes[a] > hashes[b] : values[a] > values[b];
    }

    function _plainPoints(uint256[] memory order, BordaHarness.Size memory size)
        private
        pure
        returns (uint256[] memory points)
    {
        points = new uint256[](size.members);
        for (uint256 i = 0; i < size.winners; ++i) {
            points[order[i]] = size.winners - i;
        }
    }

    function _add(uint256[] memory totals, uint256[] memory given) private pure {
        for (uint256 i = 0; i < totals.length; ++i) {
            totals[i] += given[i];
        }
    }

    function _packed(uint256[] memory order, BordaHarness.Size memory size)
        private
        pure
        returns (bytes memory content)
    {
        for (uint256 i = 0; i < size.winners; ++i) {
            content = size.members <= 256
                ? bytes.concat(content, bytes1(uint8(order[i])))
                : bytes.concat(content, bytes2(uint16(order[i])));
        }
    }

    function _head(uint256[] memory order, uint256 count) private pure returns (uint256[] memory head) {
        head = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            head[i] = order[i];
        }
    }
}
