// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base, Vm} from "./Base.sol";
import {ShardsHarness} from "./ShardsHarness.sol";

/// @title ecrecover as a multiplier, held against Foundry's own secp256k1
contract SealedKeyTest is Base {
    uint256 private constant FIELD = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    ShardsHarness private harness;

    function setUp() public {
        harness = ShardsHarness(deployHarness("ShardsHarness"));
    }

    /// @notice k * (r * G) is (k * r) * G up to the sign the even y of r * G decides, and its account is recognised
    /// with either y.
    function testFuzz_ProductIsThePoint(uint256 k, uint256 r) public {
        k = bound(k, 1, ORDER - 1);
        Vm.Wallet memory ephemeral = _evenPoint(bound(r, 1, ORDER - 1));
        if (ephemeral.publicKeyX >= ORDER) return;
        Vm.Wallet memory shared = vm.createWallet(mulmod(k, ephemeral.privateKey, ORDER));

        address product = harness.productAccount(k, ephemeral.publicKeyX);
        vm.assertEq(product, shared.addr, "product");
        vm.assertEq(product, harness.account(shared.publicKeyX, shared.publicKeyY), "account");
        vm.assertTrue(harness.isAccountOf(product, shared.publicKeyX, shared.publicKeyY), "this y");
        vm.assertTrue(harness.isAccountOf(product, shared.publicKeyX, FIELD - shared.publicKeyY), "the other y");
        vm.assertTrue(!harness.isAccountOf(product, shared.publicKeyX ^ 1, shared.publicKeyY), "another x");
        vm.assertTrue(!harness.isAccountOf(product, shared.publicKeyX, shared.publicKeyY ^ 1), "no y of that x");
    }

    /// @notice An x on no point has no product, so a provider that names one is not believed; an x on one always has.
    function testFuzz_ProductExistsWhereThePointDoes(uint256 k, uint256 x) public view {
        k = bound(k, 1, ORDER - 1);
        x = bound(x, 1, ORDER - 1);
        bool exists = _isSquare(addmod(mulmod(x, mulmod(x, x, FIELD), FIELD), 7, FIELD));
        vm.assertTrue((harness.productAccount(k, x) != address(0)) == exists, "product");
        vm.assertEq(harness.productAccount(k, bound(x, ORDER, type(uint256).max)), address(0), "beyond the order");
        vm.assertEq(harness.productAccount(k, 0), address(0), "zero");
        vm.assertEq(harness.productAccount(0, x), address(0), "no secret");
    }

    /// @notice An x stands for the secret of its point with even y and for no other: not for the negative, whose point has
    /// the same x, nor for the secret's form beyond the order.
    function testFuzz_APointStandsForItsSecret(uint256 secret, uint256 other) public {
        Vm.Wallet memory key = _evenPoint(bound(secret, 1, ORDER - 1));
        uint256 x = key.publicKeyX;
        vm.assertTrue(harness.isSecretOf(key.privateKey, x) == (x < ORDER), "secret");
        vm.assertTrue(!harness.isSecretOf(ORDER - key.privateKey, x), "negative");
        if (other != key.privateKey) vm.assertTrue(!harness.isSecretOf(other, x), "another secret");
        if (key.privateKey > type(uint256).max - ORDER) return;
        vm.assertTrue(!harness.isSecretOf(key.privateKey + ORDER, x), "beyond the order");
    }

    /// @notice The generator itself, its double and its negative, and where there is no secret or no point.
    function test_SecretsOfEdges() public {
        uint256 x = vm.createWallet(1).publicKeyX;
        vm.assertTrue(harness.isSecretOf(1, x), "one");
        vm.assertTrue(!harness.isSecretOf(0, x), "zero");
        vm.assertTrue(!harness.isSecretOf(2, x), "two");
        vm.assertTrue(!harness.isSecretOf(ORDER - 1, x), "minus one");
        vm.assertTrue(!harness.isSecretOf(ORDER, x), "order");
        vm.assertTrue(!harness.isSecretOf(ORDER + 1, x), "order + 1");
        vm.assertTrue(!harness.isSecretOf(type(uint256).max, x), "most");
        Vm.Wallet memory double = _evenPoint(2);
        vm.assertTrue(harness.isSecretOf(double.privateKey, double.publicKeyX), "twice the generator");
        vm.assertTrue(!harness.isSecretOf(1, 0), "x = 0");
        vm.assertTrue(!harness.isSecretOf(1, 5), "x on no point");
        vm.assertTrue(!harness.isSecretOf(1, ORDER), "x at the order");
    }

    /// @notice Every public key is on the curve, with either y; a neighbour is not, nor a coordinate plus the field.
    function testFuzz_PublicKeysAreOnTheCurve(uint256 secret) public {
        Vm.Wallet memory key = vm.createWallet(bound(secret, 1, ORDER - 1));
        vm.assertTrue(harness.isOnCurve(key.publicKeyX, key.publicKeyY), "point");
        vm.assertTrue(harness.isOnCurve(key.publicKeyX, FIELD - key.publicKeyY), "negative");
        vm.assertTrue(!harness.isOnCurve(key.publicKeyX, key.publicKeyY ^ 1), "y off by one");
        vm.assertTrue(!harness.isOnCurve(key.publicKeyX ^ 1, key.publicKeyY), "x off by one");
        vm.assertTrue(!harness.isOnCurve(0, 0), "infinity");
    }

    /// @notice Small coordinates have a second form beyond the field, which must not pass: one point, one account.
    function test_CoordinatesAreBelowTheField() public view {
        uint256 y = 0x4218F20AE6C646B363DB68605822FB14264CA8D2587FDD6FBC750D587E76A7EE;
        vm.assertTrue(harness.isOnCurve(1, y), "x = 1");
        vm.assertTrue(!harness.isOnCurve(FIELD + 1, y), "x = field + 1");
    }

    function _evenPoint(uint256 r) private returns (Vm.Wallet memory point) {
        point = vm.createWallet(r);
        if (point.publicKeyY % 2 == 1) point = vm.createWallet(ORDER - r);
    }

    /// @dev Euler's criterion, by square and multiply.
    function _isSquare(uint256 a) private pure returns (bool) {
        uint256 result = 1;
        for (uint256 e = (FIELD - 1) / 2; e > 0; e /= 2) {
            if (e % 2 == 1) result = mulmod(result, a, FIELD);
            a = mulmod(a, a, FIELD);
        }
        return result == 1;
    }
}
