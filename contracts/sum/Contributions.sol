// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISharedModel} from "../interfaces/ISharedModel.sol";
import {Author} from "./Author.sol";
import {Contribution, ContributionLib} from "./Contribution.sol";

/// @title Where a shared model keeps contributions and their authors, and how it finds them
abstract contract Contributions is ISharedModel {
    mapping(bytes32 key => Contribution) internal _contributions;
    mapping(address account => Author) internal _authors;
    /// @dev Reports by accounts that had no seat then, by what names a contribution and not by where it lies, since another
    /// may take its place; the others' are bits of the record.
    mapping(bytes32 name => mapping(address reporter => bool)) private _reports;

    /// @inheritdoc ISharedModel
    function contribution(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        external
        view
        returns (bool added, bool refunded, bool reported, uint256 deposit, uint256 left)
    {
        (, Contribution record) = _find(features, label, addedAt, author);
        added = record.has(ContributionLib.ADDED);
        refunded = record.has(ContributionLib.REFUNDED);
        reported = record.has(ContributionLib.REPORTED);
        deposit = record.deposit();
        left = record.left();
    }

    /// @inheritdoc ISharedModel
    function announcement(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        external
        view
        returns (bool good, bool bad, uint256 at)
    {
        (, Contribution record) = _find(features, label, addedAt, author);
        good = record.has(ContributionLib.GOOD_ANNOUNCED);
        bad = record.has(ContributionLib.BAD_ANNOUNCED);
        at = record.announcedAt(addedAt);
    }

    /// @inheritdoc ISharedModel
    function goodData(address author) external view returns (uint256) {
        return _authors[author].goodData();
    }

    /// @notice Records a contribution of the caller's now: at the key of its sample and label, if there is none or a spent
    /// one, or else as a repeat.
    /// @dev Requirements: the caller has not added the same within this second (AlreadyAdded); as for
    /// {ContributionLib-create}.
    function _record(uint256[] calldata features, uint256 label, uint256 author, uint256 deposit)
        internal
        returns (bytes32 key)
    {
        Contribution made = ContributionLib.create(deposit, author, block.timestamp);
        key = ContributionLib.key(features, label);
        Contribution first = _contributions[key];
        require(!first.isBy(author, block.timestamp), AlreadyAdded(key));
        if (first.has(ContributionLib.ADDED)) {
            bytes32 repeat = ContributionLib.repeatKey(key, msg.sender, block.timestamp);
            require(!_contributions[repeat].has(ContributionLib.ADDED), AlreadyAdded(repeat));
            if (!first.isSpent()) (key, made) = (repeat, made.with(ContributionLib.REPEATED));
        }
        _contributions[key] = made;
    }

    /// @notice Where what the author added at that time is recorded, and the record, empty if it was not added.
    function _find(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        internal
        view
        returns (bytes32 key, Contribution record)
    {
        key = ContributionLib.key(features, label);
        record = _contributions[key];
        if (!record.isBy(_authors[author].number(), addedAt)) {
            key = ContributionLib.repeatKey(key, author, addedAt);
            record = _contributions[key];
        }
    }

    /// @notice The record of a contribution that was added and not refunded (NeverAdded, AlreadyRefunded).
    function _unrefunded(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        internal
        view
        returns (bytes32 key, Contribution record)
    {
        (key, record) = _find(features, label, addedAt, author);
        require(record.has(ContributionLib.ADDED), NeverAdded(key));
        require(!record.has(ContributionLib.REFUNDED), AlreadyRefunded(key));
    }

    /// @notice Whether the caller reported it while it had no seat.
    function _reportedUnseated(bytes32 key, Contribution record, uint256 addedAt, address author)
        internal
        view
        returns (bool)
    {
        return record.has(ContributionLib.REPORTED_UNSEATED)
            && _reports[ContributionLib.repeatKey(key, author, addedAt)][msg.sender];
    }

    /// @notice With the report of the caller, who has no seat.
    function _withUnseated(bytes32 key, Contribution record, uint256 addedAt, address author)
        internal
        returns (Contribution)
    {
        _reports[ContributionLib.repeatKey(key, author, addedAt)][msg.sender] = true;
        return record.with(ContributionLib.REPORTED_UNSEATED);
    }
}
