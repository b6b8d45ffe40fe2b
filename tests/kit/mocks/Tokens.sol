// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title An ERC-20 that anyone may mint
contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title Takes signed allowances (ERC-2612)
contract PermitToken is PlainToken, ERC20Permit("Plain") {}

/// @title Tells of another token's domain, so that what is signed for it would be the other's
contract NamesakeToken is PlainToken {
    PermitToken private immutable _other;

    constructor(PermitToken other) {
        _other = other;
    }

    function nonces(address owner) external view returns (uint256) {
        return _other.nonces(owner);
    }

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _other.DOMAIN_SEPARATOR();
    }
}

/// @title Keeps a share of every transfer, one part in a hundred to begin with
contract FeeToken is PlainToken {
    uint256 public feePercent = 1;

    function setFeePercent(uint256 value) external {
        feePercent = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) ? 0 : value * feePercent / 100;
        super._update(from, to, value - fee);
        if (fee > 0) super._update(from, address(0), fee);
    }
}

/// @title Charges the sender a share on top of every transfer, one part in a hundred to begin with
contract SurchargeToken is PlainToken {
    uint256 public feePercent = 1;

    function setFeePercent(uint256 value) external {
        feePercent = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(from, address(0), value * feePercent / 100);
    }
}

/// @title Reports failure by returning false, once switched on
contract FalseToken is PlainToken {
    bool public failing;

    function setFailing(bool value) external {
        failing = value;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !failing && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return !failing && super.transferFrom(from, to, value);
    }
}

/// @title Answers the opposite of what its transfers did, once told to
contract LyingToken is PlainToken {
    enum Lie {
        None,
        SaysNoAndPays,
        SaysYesAndKeeps
    }

    Lie private _lie;

    function setLie(Lie value) external {
        _lie = value;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (_lie == Lie.SaysYesAndKeeps) return true;
        return super.transfer(to, value) && _lie == Lie.None;
    }
}

/// @title Tells no balances, once switched on
contract SecretiveToken is PlainToken {
    bool private _secretive;

    function setSecretive(bool value) external {
        _secretive = value;
    }

    function balanceOf(address account) public view override returns (uint256) {
        require(!_secretive);
        return super.balanceOf(account);
    }
}

/// @title Can be paused by anyone
contract PausingToken is PlainToken {
    error Paused();

    bool public paused;

    function setPaused(bool value) external {
        paused = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!paused, Paused());
        super._update(from, to, value);
    }
}

/// @title Moves no amount of zero
contract NoZeroToken is PlainToken {
    error Zero();

    function _update(address from, address to, uint256 value) internal override {
        require(value > 0, Zero());
        super._update(from, to, value);
    }
}

/// @title Calls a registered hook of the receiver after every transfer, as ERC-777 does
contract HookToken is PlainToken {
    mapping(address account => bool) public hooked;

    function hook(bool value) external {
        hooked[msg.sender] = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (hooked[to]) IHook(to).tokensReceived();
        if (hooked[from]) IHook(from).tokensReceived();
    }
}

interface IHook {
    function tokensReceived() external;
}

/// @title Returns nothing from transfers, as the oldest tokens do
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
