"""What is told of an error is for people, and for nobody else."""

from __future__ import annotations

import pytest

from scripts._stage.errors import reason_of


@pytest.mark.parametrize(
    "said",
    [
        "401 Client Error: Unauthorized for url: https://node.example/v3/SECRET",
        "HTTPSConnectionPool(host='node.example', port=443): Max retries exceeded with url: "
        "/v3/SECRET (Caused by ...)",
        "cannot reach 'wss://node.example/ws/SECRET'",
        "cannot reach https://user:SECRET@node.example",
        "cannot reach https://node.example?key=SECRET",
    ],
)
def test_the_users_key_at_a_hosted_node_is_not_told(said):
    """It is in the node's address, which libraries print; the host is enough to know which."""
    told = reason_of(OSError(said))
    assert "SECRET" not in told
    assert "node.example" in told
