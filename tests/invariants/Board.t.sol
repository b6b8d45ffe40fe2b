// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoardTerms, MessageKind} from "../../contracts/interfaces/IBulletinBoard.sol";
import {BoardTrees} from "../../contracts/seccl/board/BoardTrees.sol";
import {SessionHead, SessionHeadLib} from "../../contracts/seccl/board/SessionHead.sol";
import {Base} from "./Base.sol";

/// @title The packed head of a session, and its trees, against plain versions
contract BoardTest is Base {
    /// @notice Every field comes out as it went in, whatever the others are.
    function testFuzz_HeadKeepsItsFields(BoardTerms memory t, bool faulty) public pure {
        _fit(t);
        SessionHead head = SessionHeadLib.pack(t);
        if (faulty) head = head.withFault();
        vm.assertEq(head.server(), t.server, "server");
        vm.assertEq(head.start(), t.start, "start");
        vm.assertEq(head.uploadTime(), t.uploadTime, "upload time");
        vm.assertEq(head.evaluationTime(), t.evaluationTime, "evaluation time");
        vm.assertEq(head.rounds(), t.rounds, "rounds");
        vm.assertEq(head.members(), t.members, "members");
        vm.assertTrue(head.batched(MessageKind.Upload) == t.batchedUploads, "batched uploads");
        vm.assertTrue(head.batched(MessageKind.Evaluation) == t.batchedEvaluations, "batched evaluations");
        vm.assertTrue(head.faulty() == faulty && head.exists(), "mark");
    }

    /// @notice Every second from the start to the end is in exactly one window.
    function testFuzz_EverySecondHasOneWindow(BoardTerms memory t, uint256 second) public pure {
        _fit(t);
        t.rounds = uint16(bound(t.rounds, 1, 20));
        SessionHead head = SessionHeadLib.pack(t);
        second = bound(second, head.start(), head.end() - 1);
        uint256 windows = 0;
        for (uint256 round = 0; round < t.rounds; ++round) {
            for (uint256 kind = 0; kind < 2; ++kind) {
                (uint256 from, uint256 to) = head.window(round, MessageKind(kind));
                if (from <= second && second < to) ++windows;
            }
        }
        vm.assertEq(windows, 1, "windows of one second");
    }

    /// @notice A leaf is found at its own index, and neither it nor another message at any other.
    function testFuzz_ALeafIsFoundAtItsIndexAlone(uint256 count, uint256 index, uint256 other, bytes32 message)
        public
        view
    {
        count = bound(count, 1, 40);
        index = bound(index, 0, count - 1);
        bytes32[] memory leaves = new bytes32[](count);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("souk.board.batch.v1"), block.chainid, this, bytes32("session"), 3, MessageKind.Evaluation
            )
        );
        for (uint256 i = 0; i < count; ++i) {
            bytes32 value = i == index ? message : keccak256(abi.encode(i));
            leaves[i] = keccak256(abi.encode(keccak256(abi.encode(domain, i, value))));
        }
        (bytes32 root, bytes32[] memory path) = _treeOf(leaves, index);
        vm.assertEq(this.rootOf(count, 3, index, message, path), root, "root");
        vm.assertNotEq(this.rootOf(count, 3, index, ~message, path), root, "another message");
        vm.assertNotEq(this.rootOf(count, 4, index, message, path), root, "another round");
        other = bound(other, 0, count - 1);
        (, bytes32[] memory elsewhere) = _treeOf(leaves, other);
        if (other == index || elsewhere.length != path.length) return;
        vm.assertNotEq(this.rootOf(count, 3, other, message, path), root, "another index");
        vm.assertNotEq(this.rootOf(count, 3, other, message, elsewhere), root, "another index and path");
    }

    /// @notice From outside, since paths come as calldata.
    function rootOf(uint256 count, uint256 round, uint256 index, bytes32 message, bytes32[] calldata path)
        external
        view
        returns (bytes32)
    {
        return BoardTrees.batchRoot(count, "session", round, MessageKind.Evaluation, index, message, path);
    }

    /// @dev Terms within their limits.
    function _fit(BoardTerms memory t) private pure {
        if (t.server == address(0)) t.server = address(1);
        t.start = uint40(bound(t.start, 0, type(uint32).max));
        t.uploadTime = uint32(bound(t.uploadTime, 600, 2 ** 20 - 1));
        t.evaluationTime = uint32(bound(t.evaluationTime, 600, 2 ** 20 - 1));
        t.rounds = uint16(bound(t.rounds, 1, 2 ** 10 - 1));
        t.members = uint16(bound(t.members, 1, 2 ** 11 - 1));
    }

    /// @dev Root and path, level by level; a level of odd width hands its last node up.
    function _treeOf(bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes32 root, bytes32[] memory path)
    {
        bytes32[] memory found = new bytes32[](16);
        bytes32[] memory row = leaves;
        uint256 length = 0;
        while (row.length > 1) {
            if ((index ^ 1) < row.length) found[length++] = row[index ^ 1];
            bytes32[] memory next = new bytes32[]((row.length + 1) / 2);
            for (uint256 i = 0; i < next.length; ++i) {
                next[i] = 2 * i + 1 < row.length ? keccak256(abi.encode(row[2 * i], row[2 * i + 1])) : row[2 * i];
            }
            (row, index) = (next, index / 2);
        }
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = found[i];
        }
        return (row[0], path);
    }
}
