// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoardTrees} from "../../contracts/seccl/board/BoardTrees.sol";
import {BallotHash} from "../../contracts/seccl/borda/BallotHash.sol";
import {Borda} from "../../contracts/seccl/borda/Borda.sol";
import {Highest, HighestLib} from "../../contracts/seccl/borda/Highest.sol";
import {RoundWordLib} from "../../contracts/seccl/borda/RoundWord.sol";
import {Standing, StandingLib} from "../../contracts/seccl/borda/Standing.sol";

/// @title The libraries of BordaConsensus as external functions, for tests
contract BordaHarness {
    struct Size {
        uint256 members;
        uint256 winners;
        bytes16 seed;
    }

    /// @notice The points of a ballot, one number for each member.
    function points(uint256 form, bytes calldata content, uint256 voter, Size calldata size)
        external
        pure
        returns (uint256[] memory)
    {
        uint256 bits = Borda.laneBits(size.members, size.winners);
        uint256[] memory words = form == 0
            ? Borda.pointsOfRanking(content, voter, size.members, size.winners, bits)
            : Borda.pointsOfScores(content, voter, size.members, size.winners, bits, size.seed);
        return unpack(words, size.members, bits);
    }

    /// @notice The indices of the highest values, the highest first, chosen in two parts as a continued closing does.
    function highest(uint256[] calldata values, Size calldata size, uint256 cut)
        external
        pure
        returns (uint256[] memory indices)
    {
        Highest memory first = HighestLib.create(size.winners);
        for (uint256 i = 0; i < cut; ++i) {
            first.offer(StandingLib.create(values[i], size.seed, i));
        }
        Highest memory all = HighestLib.create(size.winners);
        for (uint256 i = 0; i < first.taken; ++i) {
            all.offer(first.places[i]);
        }
        for (uint256 i = cut; i < values.length; ++i) {
            all.offer(StandingLib.create(values[i], size.seed, i));
        }
        Standing[] memory ranked = all.ranked();
        indices = new uint256[](ranked.length);
        for (uint256 i = 0; i < ranked.length; ++i) {
            indices[i] = ranked[i].index();
        }
    }

    function memberRoot(address board, address[] calldata members) external view returns (bytes32) {
        return BoardTrees.rootOfMembers(board, members);
    }

    function laneBits(uint256 members, uint256 winners) external pure returns (uint256) {
        return Borda.laneBits(members, winners);
    }

    function hide(bytes32 context, uint256 round, address voter, uint256 form, bytes calldata content, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return BallotHash.hide(context, round, voter, form, content, salt);
    }

    /// @notice What `round` reads of a slot that an earlier or the same round wrote.
    function during(uint256 wrote, uint256 content, uint256 round) external pure returns (uint256) {
        return RoundWordLib.create(wrote, content).during(round);
    }

    function unpack(uint256[] memory words, uint256 members, uint256 bits)
        public
        pure
        returns (uint256[] memory values)
    {
        values = new uint256[](members);
        uint256 lanes = 240 / bits;
        for (uint256 i = 0; i < members; ++i) {
            values[i] = words[i / lanes] >> i % lanes * bits & (1 << bits) - 1;
        }
    }
}
