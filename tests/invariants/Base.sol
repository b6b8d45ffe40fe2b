// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The cheatcodes of Foundry that these tests use.
interface Vm {
    struct Wallet {
        address addr;
        uint256 publicKeyX;
        uint256 publicKeyY;
        uint256 privateKey;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function createWallet(uint256 privateKey) external returns (Wallet memory);
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function expectRevert(bytes calldata data) external;
    function expectPartialRevert(bytes4 selector) external;
    function pauseGasMetering() external;
    function exists(string calldata path) external view returns (bool);
    function getCode(string calldata artifact) external view returns (bytes memory creationCode);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonStringArray(string calldata json, string calldata key) external pure returns (string[] memory);
    function assertTrue(bool condition, string calldata error) external pure;
    function assertEq(uint256 left, uint256 right, string calldata error) external pure;
    function assertEq(address left, address right, string calldata error) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata error) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata error) external pure;
    function assertEq(uint256[] calldata left, uint256[] calldata right, string calldata error) external pure;
    function assertGe(uint256 left, uint256 right, string calldata error) external pure;
    function assertLe(uint256 left, uint256 right, string calldata error) external pure;
    function assertNotEq(bytes32 left, bytes32 right, string calldata error) external pure;
}

/// @title What tests and handlers share: cheatcodes and bounded inputs
/// @dev Foundry needs no library for fuzz and invariant tests; forge-std has no official npm package.
abstract contract Base {
    event log_named_uint(string name, uint256 value);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev By contract, once it was read and held against the files.
    mapping(string name => bytes code) private _creationCodes;

    string private constant REMEDY = ": run `make compile` (`ape compile` for what changed and what imports it)";

    /// @notice Deploys a contract as Ape compiled it. `new` would take the players' light compilation of it.
    function deploy(string memory name) internal returns (address) {
        return deploy(name, "");
    }

    /// @notice The same with the constructor's ABI-encoded `arguments`.
    /// @dev A `create` of its own, as `prank` does not reach `deployCode`.
    function deploy(string memory name, bytes memory arguments) internal returns (address) {
        if (_creationCodes[name].length == 0) _creationCodes[name] = _readCreationCode(name);
        return _create(bytes.concat(_creationCodes[name], arguments));
    }

    /// @notice Deploys a harness (tests/invariants) as Forge compiled it through the IR. `new` would make it part of the
    /// test's own code, and have it compiled once more with it.
    function deployHarness(string memory name) internal returns (address) {
        return _create(vm.getCode(string.concat(".cache/forge/out/", name, ".sol/", name, ".json")));
    }

    function _create(bytes memory code) private returns (address deployed) {
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    /// @notice A value in [low, high] from any `seed`; values in the range stay, so the fuzzer's edges stay edges.
    function bound(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        if (seed >= low && seed <= high) return seed;
        uint256 span = high - low + 1;
        return span == 0 ? seed : low + seed % span;
    }

    /// @notice An independent value for each purpose from one seed.
    function derive(uint256 seed, string memory purpose) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, purpose)));
    }

    /// @dev Kept by tools/compile.py. Refused by name when it was made of other files than there are now.
    function _readCreationCode(string memory name) private view returns (bytes memory) {
        string memory path = string.concat(".build/creation/", name, ".json");
        if (!vm.exists(path)) revert(string.concat(name, " is not compiled", REMEDY));
        string memory creation = vm.readFile(path);
        string[] memory files = vm.parseJsonStringArray(creation, ".made_of.files");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(creation, ".made_of.hashes");
        for (uint256 i; i < files.length; ++i) {
            bool same = vm.exists(files[i]) && keccak256(bytes(vm.readFile(files[i]))) == hashes[i];
            if (!same) revert(string.concat(name, " was compiled before ", files[i], " changed", REMEDY));
        }
        return vm.parseJsonBytes(creation, ".bytecode");
    }
}
