// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MerkleTree} from "../../exchange/MerkleTree.sol";
import {Claim, IIncentive} from "../../interfaces/IIncentive.sol";
import {WaitingIncentive, Waits} from "./WaitingIncentive.sol";

/// @title Points instead of money, for groups that trust each other
/// @notice A contribution needs no deposit and pays no cost. A refund pays nothing and counts the contribution as good,
/// in {ISharedModel-goodData}: those are the points. A report pays nothing and marks the contribution as bad, once and
/// for all: it is neither reported again nor ever counted as good. There is nothing to take over. Payments for
/// predictions are shared by points, as under any incentive.
///
/// Nobody has anything at stake, so that only members contribute, and only those whose data proved good report. Whoever
/// made the incentive names the members by the root of a tree (MerkleTree.sol; leaf i holds account i in a domain of this
/// contract); each shows once that it is one. offchain/sum/members.py is the tree's twin.
contract PointsIncentive is WaitingIncentive {
    bytes32 private constant MEMBER_TYPE = keccak256("souk.points.member.v1");

    /// @notice Who names the members.
    address public immutable owner;
    /// @notice The root of the members' tree; zero before they are named.
    bytes32 public memberRoot;
    /// @notice How many members there are.
    uint256 public memberCount;
    /// @notice Whether an account has shown that it is a member.
    mapping(address account => bool) public joined;

    /// @notice The members are named, for good.
    event MembersNamed(bytes32 root, uint256 count);
    /// @notice An account showed that it is member `index`.
    event Joined(address indexed account, uint256 index);

    error NotOwner(address caller, address owner);
    error MembersAlreadyNamed(bytes32 root);
    error NoMembers();
    error MemberOutOfRange(uint256 index, uint256 count);
    error NotMember(address account);

    /// @dev Requirements: the waits are in range and in order (WaitsOutOfOrder, WindowOutOfRange).
    /// @param waits_ the waits, in seconds; nothing is taken over here, whatever they say of that
    constructor(Waits memory waits_) WaitingIncentive(waits_) {
        owner = msg.sender;
    }

    /// @notice Names the members, for good; nobody contributes before.
    /// @dev Emits {MembersNamed}. A call of its own, for the tree is bound to this contract's address.
    /// Requirements:
    /// - the caller is the owner (NotOwner)
    /// - they were not named before (MembersAlreadyNamed)
    /// - there is one at least, and a root (NoMembers)
    function nameMembers(bytes32 root, uint256 count) external {
        require(msg.sender == owner, NotOwner(msg.sender, owner));
        require(memberCount == 0, MembersAlreadyNamed(memberRoot));
        require(count > 0 && root != 0, NoMembers());
        (memberRoot, memberCount) = (root, count);
        emit MembersNamed(root, count);
    }

    /// @notice Shows that the caller is a member.
    /// @dev Emits {Joined}.
    /// Requirements:
    /// - there is such a member (MemberOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the caller's account is that member's (NotMember)
    /// @param index which member
    /// @param path the siblings of its leaf, from the leaf upwards
    function join(uint256 index, bytes32[] calldata path) external {
        require(index < memberCount, MemberOutOfRange(index, memberCount));
        bytes32 domain = keccak256(abi.encode(MEMBER_TYPE, block.chainid, address(this)));
        bytes32 leaf = MerkleTree.leaf(domain, index, bytes32(uint256(uint160(msg.sender))));
        require(MerkleTree.pathRoot(memberCount, index, leaf, path) == memberRoot, NotMember(msg.sender));
        joined[msg.sender] = true;
        emit Joined(msg.sender, index);
    }

    /// @inheritdoc IIncentive
    function required(uint256[] calldata, uint256, uint256) external pure returns (uint256 deposit, uint256 cost) {
        return (0, 0);
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - the author has shown that it is a member (NotMember)
    function onAdd(address author, uint256[] calldata, uint256, uint256)
        external
        view
        returns (uint256 deposit, uint256 cost)
    {
        require(joined[author], NotMember(author));
        return (0, 0);
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - the claimant's wait is over (RefundTooEarly, ReportTooEarly)
    /// - the model says so (ModelDisagrees, ModelAgrees)
    /// - the quiet time is over (NotQuiet)
    /// - data of a reporter's proved good, so that it is a member (NoGoodData)
    function onAnnounce(Claim calldata claim) external view {
        require(!claim.reported, AlreadyReported());
        _requireDue(claim);
        require(claim.claimant == claim.author || claim.goodData > 0, NoGoodData(claim.claimant));
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - it is announced as good (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model agrees (ModelDisagrees)
    function onRefund(Claim calldata claim) external view returns (uint256 amount) {
        require(!claim.reported, AlreadyReported());
        _requireGood(claim);
        return 0;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - it is announced as bad (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model disagrees (ModelAgrees)
    /// - data of the reporter's proved good, so that it is a member (NoGoodData)
    function onReport(Claim calldata claim) external view returns (uint256 amount) {
        require(!claim.reported, AlreadyReported());
        _requireBad(claim);
        require(claim.goodData > 0, NoGoodData(claim.claimant));
        return 0;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - none that can be met, for nothing is ever left (NothingLeft)
    function onTakeOver(Claim calldata) external pure returns (uint256) {
        revert NothingLeft();
    }
}
