// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {TradingTerms} from "../../contracts/interfaces/ITradingSession.sol";
import {PackedTerms, PackedTermsLib} from "../../contracts/hyperx/PackedTerms.sol";
import {Profile, ProfileLib} from "../../contracts/hyperx/Profile.sol";
import {Base} from "./Base.sol";

/// @title Reads the terms behind its clones' code
contract TermsReader {
    function unpacked() external view returns (TradingTerms memory) {
        return PackedTermsLib.load().unpack();
    }

    function amounts()
        external
        view
        returns (uint256 selectionEnd, uint256 sampleLimit, uint256 compensation, uint256 penalty, uint256 escrow)
    {
        PackedTerms memory t = PackedTermsLib.load();
        return (t.selectionEnd(), t.sampleLimit(), t.compensation(), t.penalty(), t.escrow());
    }
}

/// @title Packed words give back what went in
contract PackingTest is Base {
    TermsReader private reader;

    function setUp() public {
        reader = new TermsReader();
    }

    /// @notice TradingTerms survive the packing, the clone and the unpacking, bit for bit.
    function testFuzz_TermsRoundTrip(uint256[5] calldata words) public {
        TradingTerms memory terms = _terms(words);
        TermsReader clone = TermsReader(Clones.cloneWithImmutableArgs(address(reader), PackedTermsLib.pack(terms)));
        vm.assertEq(abi.encode(clone.unpacked()), abi.encode(terms), "terms");
    }

    /// @notice Derived amounts follow the documented formulas, rounded down.
    function testFuzz_DerivedAmounts(uint256[5] calldata words) public {
        TradingTerms memory terms = _terms(words);
        uint256 windows = (terms.settlement == Settlement.Sealed ? 4 : 3) * uint256(terms.responseTime);
        terms.expiry = uint40(bound(terms.expiry, windows, type(uint40).max));
        TermsReader clone = TermsReader(Clones.cloneWithImmutableArgs(address(reader), PackedTermsLib.pack(terms)));
        (uint256 end, uint256 limit, uint256 compensation, uint256 penalty, uint256 escrow) = clone.amounts();
        vm.assertEq(end, terms.expiry - windows, "selection end");
        vm.assertEq(limit, uint256(terms.shardCount) * terms.sampleBps / 10_000, "sample limit");
        vm.assertEq(compensation, uint256(terms.reward) * terms.sampleBps / 10_000, "compensation");
        vm.assertEq(penalty, uint256(terms.deposit) * terms.penaltyBps / 10_000, "penalty");
        vm.assertEq(escrow, uint256(terms.reward) + uint256(terms.furtherReviews) * 2 * compensation, "escrow");
    }

    /// @notice Each part of a profile is set alone and read back; the others keep their value.
    function testFuzz_ProfileRoundTrip(bytes26 roots, bytes26 value, uint40 drawBlock, uint8 flag) public pure {
        Profile profile = ProfileLib.create(roots);
        vm.assertEq(profile.commitment(), roots, "roots");
        vm.assertEq(profile.flags(), ProfileLib.REGISTERED, "registered");
        vm.assertEq(profile.drawBlock(), 0, "no draw");

        profile = profile.with(flag).withDrawBlock(drawBlock).withCommitment(value);
        vm.assertEq(profile.commitment(), value, "commitment");
        vm.assertEq(profile.drawBlock(), drawBlock, "draw block");
        vm.assertEq(profile.flags(), ProfileLib.REGISTERED | flag, "flags");
        vm.assertTrue(profile.has(flag) == (flag != 0), "has");
        vm.assertTrue(!profile.has(~(flag | ProfileLib.REGISTERED)), "has no other");

        profile = profile.withDrawBlock(0);
        vm.assertEq(profile.commitment(), value, "commitment after the draw");
        vm.assertEq(profile.flags(), ProfileLib.REGISTERED | flag, "flags after the draw");
        vm.assertEq(profile.drawBlock(), 0, "draw closed");
    }

    /// @notice The settlement kinds fit their seven bits.
    function test_SettlementsFit() public pure {
        vm.assertLe(uint256(type(Settlement).max), 0x7f, "settlement");
    }

    /// @dev TradingTerms with any bits in any field; the fuzzer itself would offer settlements that do not exist.
    function _terms(uint256[5] calldata words) private pure returns (TradingTerms memory) {
        return TradingTerms({
            collector: address(uint160(words[0])),
            token: address(uint160(words[1])),
            reward: uint96(words[0] >> 160),
            deposit: uint96(words[1] >> 160),
            sampleBps: uint16(words[2]),
            penaltyBps: uint16(words[2] >> 16),
            shardCount: uint16(words[2] >> 32),
            shardSize: uint32(words[2] >> 48),
            furtherReviews: uint8(words[2] >> 80),
            publishedAddresses: words[2] >> 88 & 1 == 1,
            settlement: Settlement(words[2] >> 89 & 1),
            registrationEnd: uint40(words[2] >> 90),
            submissionEnd: uint40(words[2] >> 130),
            expiry: uint40(words[2] >> 170),
            responseTime: uint32(words[2] >> 210),
            task: bytes32(words[3]),
            encryptionKey: bytes32(words[4])
        });
    }
}
