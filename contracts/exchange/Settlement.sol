// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice How a key reaches its buyer. `Open`: published by the seller, paid in the same call; from then on what it opens
/// is everybody's. `Sealed`: encrypted to the buyer, paid once a window for disputes has passed; the public learns neither
/// key nor plain data, unless the buyer discloses them or a wrong key is proved.
enum Settlement {
    Open,
    Sealed
}
