// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Keys sealed to a one-time secp256k1 key, so that a wrong one can be proved wrong on chain
/// @notice The sender takes a random r, publishes R = r*G (x only, even y) and key xor pad(x of r*K, index). The owner of
/// K = k*G reads it with k*R. To prove misdelivery it discloses k, which serves this one delivery: the contract checks
/// k*G = K and k*R by ecrecover, which computes -(z/r)*G + (s/r)*P for the point P with x-coordinate r; with z = 0 and
/// s = k*r that is k*P.
library SealedKey {
    uint256 private constant FIELD = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev The account of the generator itself.
    address private constant GENERATOR = 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf;

    /// @notice Whether (x, y) is a point of secp256k1 other than infinity.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        return x < FIELD && y < FIELD && mulmod(y, y, FIELD) == addmod(mulmod(x, mulmod(x, x, FIELD), FIELD), 7, FIELD);
    }

    /// @notice The account of the point (x, y).
    function account(uint256 x, uint256 y) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }

    /// @notice Whether `account_` stands for the point at `x` with the given y or its negative.
    function isAccountOf(address account_, uint256 x, uint256 y) internal pure returns (bool) {
        return account_ == account(x, y) || account_ == account(x, FIELD - y % FIELD);
    }

    /// @notice Whether `secret`, in [1, order), times the generator is the point with even y at `x`, below the order.
    /// @dev Asks whether that point less (secret - 1) times the generator is the generator: ecrecover computes it for s = r
    /// and z = (secret - 1)*r. So the account that is compared is a fixed one, and another point that passes takes 2**160
    /// tries; two points of equal accounts, both of one's own choice, would take 2**80.
    function isSecretOf(uint256 secret, uint256 x) internal pure returns (bool) {
        // Beyond the order a secret has a second form, of which {productAccount} knows no product.
        if (secret == 0 || secret >= ORDER) return false;
        bytes32 z = bytes32(mulmod(secret - 1, x, ORDER));
        return ecrecover(z, 27, bytes32(x), bytes32(x)) == GENERATOR;
    }

    /// @notice The account of `secret` times the point with even y at `x`; zero if there is no such point or product.
    function productAccount(uint256 secret, uint256 x) internal pure returns (address) {
        // A zero s, an s or r beyond the order and an x off the curve all make ecrecover return zero.
        if (secret >= ORDER) return address(0);
        return ecrecover(bytes32(0), 27, bytes32(x), bytes32(mulmod(secret, x, ORDER)));
    }

    /// @notice What the key at `index` is xor-ed with.
    function pad(uint256 sharedX, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(sharedX, index));
    }
}
