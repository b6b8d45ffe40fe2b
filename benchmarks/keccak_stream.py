"""How fast files for sale are encrypted and opened: `python -m benchmarks.keccak_stream [MB]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

import eth_hash.backends.pycryptodome as pycryptodome
import eth_hash.backends.pysha3 as pysha3

from offchain.crypto.disputable import FileDomain, encrypt_file, open_file
from offchain.crypto.keccak_stream import keystream

DOMAIN = FileDomain(1, "0x" + "11" * 20, "0x" + "22" * 20, bytes(32))
KEY = bytes(range(32))
HASHES = 20_000
STREAM_CHUNKS = 4_096


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of `work`, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def hashed(hash_: Callable[[bytes], bytes]) -> None:
    for _ in range(HASHES):
        hash_(bytes(64))


def main() -> None:
    """Print microseconds a hash by backend, and MB/s of the key stream and of a file."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    for name, backend in (("pysha3", pysha3), ("pycryptodome", pycryptodome)):
        hash_ = backend.backend.keccak256
        took = seconds(partial(hashed, hash_))
        print(f"{name}: {took / HASHES * 1e6:.2f} us a hash of 64 bytes")
    took = seconds(lambda: [keystream(KEY, KEY, i, 1024) for i in range(STREAM_CHUNKS)])
    print(f"keystream: {STREAM_CHUNKS * 1024 / took / 1e6:.1f} MB/s")
    content = bytes(int(megabytes * 1e6))
    took = seconds(lambda: encrypt_file(DOMAIN, KEY, content))
    print(f"encrypt_file: {megabytes / took:.1f} MB/s")
    file = encrypt_file(DOMAIN, KEY, content)
    took = seconds(lambda: file.commitment(DOMAIN))
    print(f"commitment (check before paying): {megabytes / took:.1f} MB/s")
    took = seconds(lambda: open_file(DOMAIN, KEY, file))
    print(f"open_file: {megabytes / took:.1f} MB/s")


if __name__ == "__main__":
    main()
