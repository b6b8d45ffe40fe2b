// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The cipher that a contract can evaluate: keccak256 in counter mode
/// @notice Word j of chunk i is xor-ed with keccak256(keccak256(key, nonce, i), j): key, file, chunk and place are all
/// hashed at their full width, so no two words of any files share a keystream word. The nonce comes from the file's domain
/// and its plain root, so even a key that is used for two contents serves each under a keystream of its own.
///
/// What the chunks hold should be encrypted itself by a cipher of good standing, as offchain/crypto/disputable.py does: then
/// nothing rests on this one but that it can be disputed.
library ChunkCipher {
    bytes32 private constant STREAM_TYPE = keccak256("souk.file.stream.v1");

    /// @notice What keeps the keystreams of files apart.
    function nonce(bytes32 domain, bytes32 plainRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(STREAM_TYPE, domain, plainRoot));
    }

    /// @notice keccak256 of chunk `index` when it is decrypted.
    function plainHash(bytes32 key, bytes32 nonce_, uint256 index, bytes calldata chunk)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 seed = keccak256(abi.encode(key, nonce_, index));
        assembly ("memory-safe") {
            // The plain chunk is written past the free pointer and not kept.
            let plain := mload(0x40)
            let end := add(plain, chunk.length)
            let source := chunk.offset
            mstore(0x00, seed)
            mstore(0x20, 0)
            // The last word may reach past the chunk: what it writes there is not hashed.
            for { let target := plain } lt(target, end) { target := add(target, 0x20) } {
                mstore(target, xor(calldataload(source), keccak256(0x00, 0x40)))
                source := add(source, 0x20)
                mstore(0x20, add(mload(0x20), 1))
            }
            hash := keccak256(plain, chunk.length)
        }
    }
}
