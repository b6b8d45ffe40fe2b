"""Content at rest that a passphrase alone opens: scrypt for the key, Fernet for the rest."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from secrets import token_bytes

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from offchain.crypto.errors import CryptoError

FORMAT = "souk.locked.v1"
LEAST_CHARACTERS = 12
SALT_BYTES = 16

_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
"""Of scrypt: 32 MiB and some tenth of a second. They belong to the format."""


class Locked(CryptoError):
    """Content that this passphrase does not open, or that is not locked at all."""


class Passphrase:
    """Locks and unlocks content. It shows in no message and no representation.

    Raises Locked when it has fewer than `LEAST_CHARACTERS` characters.
    """

    def __init__(self, words: str) -> None:
        if len(words) < LEAST_CHARACTERS:
            raise Locked(
                f"a passphrase of {len(words)} characters, at least {LEAST_CHARACTERS} are needed"
            )
        self._words = words.encode()
        self._salt = token_bytes(SALT_BYTES)
        self._boxes: dict[bytes, Fernet] = {}

    def __repr__(self) -> str:
        return "Passphrase()"

    def lock(self, content: bytes) -> bytes:
        """A JSON document that tells the length of `content` and nothing else of it."""
        token = self._box(self._salt).encrypt(content).decode()
        return json.dumps({"format": FORMAT, "salt": self._salt.hex(), "content": token}).encode()

    def unlock(self, document: bytes) -> bytes:
        """What was locked. Raises Locked."""
        try:
            fields = json.loads(document)
            salt, token = bytes.fromhex(fields["salt"]), fields["content"].encode()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Locked("it is not locked, or broken") from error
        if not is_locked(document) or len(salt) != SALT_BYTES:
            raise Locked("it is not locked, or broken")
        try:
            return self._box(salt).decrypt(token)
        except InvalidToken as error:
            raise Locked("another passphrase opens it, or it is broken") from error

    def _box(self, salt: bytes) -> Fernet:
        """One key for each salt, since it takes long to make."""
        if salt not in self._boxes:
            derive = Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_PARALLEL)
            self._boxes[salt] = Fernet(urlsafe_b64encode(derive.derive(self._words)))
        return self._boxes[salt]


def is_locked(document: bytes) -> bool:
    """Whether a passphrase opens it."""
    try:
        return bool(json.loads(document).get("format") == FORMAT)
    except (ValueError, AttributeError):
        return False
