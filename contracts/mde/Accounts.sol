// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Payment} from "../exchange/Payment.sol";
import {Permitted} from "../exchange/Permitted.sol";
import {Window} from "../exchange/Window.sol";
import {Account, Dataset, IDatasetSale, Order, Side} from "../interfaces/IDatasetSale.sol";
import {Book, BookLib} from "../exchange/Book.sol";

/// @title What buyers ask for, what sellers offer, and the money of both
/// @dev See DatasetSale for the tables of states and of money.
abstract contract Accounts is IDatasetSale, Permitted {
    bytes32 private constant ACCOUNT_TYPE = keccak256("souk.sale.account.v1");
    uint256 private constant MAX_CHUNKS = 1 << 20;
    uint256 private constant MAX_CHUNK_BYTES = 16_384;
    uint256 private constant MAX_VALUE_BYTES = 4;

    mapping(bytes32 id => Book) internal _books;

    // ---------------------------------------------------------------- calls

    /// @inheritdoc IDatasetSale
    function post(Order calldata order, uint96 budget) external payable returns (bytes32 id) {
        _onlyBuyer(order);
        require(order.artefact != 0, ArtefactMissing());
        require(order.rule != 0, RuleMissing());
        require(order.stake > 0, StakeZero());
        Window.check(order.deliveryTime);
        Window.check(order.disputeTime);
        uint256 valueBytes = order.valueBytes;
        require(
            valueBytes > 0 && valueBytes <= MAX_VALUE_BYTES, ValueBytesOutOfRange(order.valueBytes, MAX_VALUE_BYTES)
        );
        _checkToken(order.token);
        id = _orderId(order);
        _create(id, budget);
        emit Posted(id, msg.sender, order, budget);
        Payment.collect(order.token, address(this), budget);
    }

    /// @inheritdoc IDatasetSale
    function register(Dataset calldata dataset, uint96 funds) external payable returns (bytes32 id) {
        _onlySeller(dataset);
        require(dataset.file != 0 && dataset.keyHash != 0, FileMissing());
        (uint256 count, uint256 chunks) = (dataset.count, dataset.chunks);
        require(count > 0 && count <= MAX_CHUNKS, CountOutOfRange(count, MAX_CHUNKS));
        require(chunks >= count && chunks <= MAX_CHUNKS, ChunksOutOfRange(chunks, count, MAX_CHUNKS));
        uint256 size = dataset.chunkBytes;
        require(size > 0 && size <= MAX_CHUNK_BYTES && size % 32 == 0, ChunkBytesOutOfRange(size, MAX_CHUNK_BYTES));
        _checkToken(dataset.token);
        id = _datasetId(dataset);
        _create(id, funds);
        emit Registered(id, msg.sender, dataset, funds);
        Payment.collect(dataset.token, address(this), funds);
    }

    /// @inheritdoc IDatasetSale
    function fund(Account calldata account, uint96 amount) external payable {
        (bytes32 id, Book book) = _load(account);
        _onlyOwner(account);
        _books[id] = book.add(amount);
        emit Funded(id, amount);
        Payment.collect(account.token, address(this), amount);
    }

    /// @inheritdoc IDatasetSale
    function withdraw(Account calldata account, uint96 amount, address to) external {
        (bytes32 id, Book book) = _load(account);
        _onlyOwner(account);
        require(amount > 0, NothingOwed(msg.sender));

        _books[id] = book.take(amount);
        emit Withdrawn(id, amount);
        Payment.pay(account.token, to, amount);
    }

    /// @inheritdoc IDatasetSale
    function close(Account calldata account) external {
        (bytes32 id, Book book) = _load(account);
        _onlyOwner(account);
        require(!book.closed(), AccountIsClosed(id));

        _books[id] = book.close();
        emit Closed(id);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IDatasetSale
    function version() external pure returns (uint256) {
        return 3;
    }

    /// @inheritdoc IDatasetSale
    function orderId(Order calldata order) external view returns (bytes32) {
        return _orderId(order);
    }

    /// @inheritdoc IDatasetSale
    function datasetId(Dataset calldata dataset) external view returns (bytes32) {
        return _datasetId(dataset);
    }

    /// @inheritdoc IDatasetSale
    function accountOf(bytes32 id) external view returns (bool known, bool closed, uint256 funds, uint256 held) {
        Book book = _books[id];
        return (book.listed(), book.closed(), book.funds(), book.held());
    }

    // ---------------------------------------------------------------- ids

    function _orderId(Order calldata order) internal view returns (bytes32) {
        return _id(Side.Order, order.buyer, order.token, keccak256(abi.encode(order)));
    }

    function _datasetId(Dataset calldata dataset) internal view returns (bytes32) {
        return _id(Side.Dataset, dataset.seller, dataset.token, keccak256(abi.encode(dataset)));
    }

    function _id(Side side, address owner, address token, bytes32 content) private view returns (bytes32) {
        return keccak256(abi.encode(ACCOUNT_TYPE, block.chainid, address(this), side, owner, token, content));
    }

    // ---------------------------------------------------------------- guards

    function _checkToken(address token) private view {
        require(token == address(0) || token.code.length > 0, TokenWithoutCode(token));
    }

    function _create(bytes32 id, uint96 amount) private {
        require(!_books[id].listed(), AccountExists(id));
        _books[id] = BookLib.create(amount);
    }

    function _load(Account calldata account) private view returns (bytes32 id, Book book) {
        id = _id(account.side, account.owner, account.token, account.content);
        book = _books[id];
        require(book.listed(), UnknownAccount(id));
    }

    /// @dev The book of an account that is known and not closed.
    function _requireOpen(bytes32 id) internal view returns (Book book) {
        book = _books[id];
        require(book.listed(), UnknownAccount(id));
        require(!book.closed(), AccountIsClosed(id));
    }

    function _onlyOwner(Account calldata account) private view {
        require(msg.sender == account.owner, NotOwner(msg.sender, account.owner));
    }

    function _onlyBuyer(Order calldata order) internal view {
        require(msg.sender == order.buyer, NotBuyer(msg.sender, order.buyer));
    }

    function _onlySeller(Dataset calldata dataset) internal view {
        require(msg.sender == dataset.seller, NotSeller(msg.sender, dataset.seller));
    }
}
