"""What a contract that anybody may have written answers, if it does."""

from __future__ import annotations

from typing import Any

from ape.contracts import ContractInstance
from ape.exceptions import ApeException
from eth_abi.exceptions import DecodingError

NO_ANSWER = (ApeException, DecodingError, ValueError, TypeError, OverflowError)
"""What asking one raises: it refuses, or answers what is none of the type that was asked for."""


def asked(contract: ContractInstance, *views: str) -> tuple[Any, ...] | None:
    """The answers of views without arguments; None where one has none."""
    try:
        answers = tuple(getattr(contract, view)(skip_trace=True) for view in views)
    except NO_ANSWER:
        return None
    return None if any(answer is None for answer in answers) else answers
