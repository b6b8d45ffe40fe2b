// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What voters sign and commit to
/// @notice EIP-712 structures, under the domain of their session's contract, and the hash behind a commitment.
/// offchain/seccl/ballots.py is this file's twin.
library BallotHash {
    // EIP-712 needs the whole types.
    // solhint-disable gas-small-strings
    bytes32 private constant BALLOT_TYPE =
        keccak256("Ballot(bytes32 context,uint16 round,address voter,uint8 form,bytes content)");
    bytes32 private constant COMMITMENT_TYPE =
        keccak256("Commitment(bytes32 context,uint16 round,address voter,bytes32 commitment)");
    // solhint-enable gas-small-strings
    bytes32 private constant HIDDEN_TYPE = keccak256("souk.borda.ballot.v1");

    /// @notice The structure hash of a ballot.
    function ballot(bytes32 context, uint256 round, address voter, uint256 form, bytes calldata content)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BALLOT_TYPE, context, round, voter, form, keccak256(content)));
    }

    /// @notice The structure hash of a commitment.
    function commitment(bytes32 context, uint256 round, address voter, bytes32 hidden) internal pure returns (bytes32) {
        return keccak256(abi.encode(COMMITMENT_TYPE, context, round, voter, hidden));
    }

    /// @notice The commitment to a ballot of this session: of no use to another voter, in another round or elsewhere.
    function hide(bytes32 context, uint256 round, address voter, uint256 form, bytes calldata content, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(HIDDEN_TYPE, block.chainid, address(this), context, round, voter, form, keccak256(content), salt)
        );
    }
}
