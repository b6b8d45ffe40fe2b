"""Put the Solidity compiler into FOLDER as Ape, forge and slither look for it.

The native compiler where one is pinned (Linux x86-64) and can be downloaded, else the same compiler
from npm, in WebAssembly behind `tools/solc-v0.8.30.cjs`: slower, the same bytecode.

    python tools/install_compiler.py FOLDER
"""

import hashlib
import os
import platform
import sys
from pathlib import Path

import requests
from solcx.install import BINARY_DOWNLOAD_BASE

VERSION = "0.8.30"
BUILD = "commit.73712a01"
SHA256 = "f3e987dc6ecebd4bd350c48edcbc320b46cf9e3109bd3fc3d88f1acaf4c428f7"
SHIM = Path(__file__).resolve().with_name(f"solc-v{VERSION}.cjs")
TIMEOUT = 10  # seconds without an answer, or without a byte


class NotPinned(OSError):
    """This machine's native compiler has no hash here to check it against."""


def download_native() -> bytes:
    """The native compiler for this machine; raises OSError when it cannot be had."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotPinned(f"no pinned native one for {platform.system()} {platform.machine()}")
    url = BINARY_DOWNLOAD_BASE.format("linux", f"solc-linux-amd64-v{VERSION}+{BUILD}")
    response = requests.get(url, timeout=TIMEOUT)
    response.raise_for_status()
    digest = hashlib.sha256(response.content).hexdigest()
    if digest != SHA256:
        raise OSError(f"the downloaded compiler's SHA-256 is {digest}, not {SHA256}")
    return response.content


def _reason(error: OSError) -> str:
    if isinstance(error, NotPinned):
        return str(error)
    return f"no way to download the native one ({type(error).__name__})"


def install(folder: Path) -> str:
    """Install the compiler and say which one it is."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"solc-v{VERSION}"
    new = folder / f".new-{os.getpid()}"
    try:
        new.write_bytes(download_native())
        new.chmod(0o755)
        kind = f"the native Solidity compiler {VERSION}"
    except OSError as error:  # requests' errors are OSErrors
        new.unlink(missing_ok=True)
        new.symlink_to(os.path.relpath(SHIM, folder))
        kind = (
            f"npm's Solidity compiler {VERSION}, the same in WebAssembly, because there is "
            f"{_reason(error)}"
        )
    new.replace(target)
    return kind


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/install_compiler.py FOLDER")
    print(f"setup: using {install(Path(sys.argv[1]))}")
