"""A real IPFS daemon (js-ipfs) for tests: started on a free port, ended with the test module."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PRELOAD = HERE / "ipfs_daemon" / "preload.mjs"
START_SECONDS = 240.0
"""On a machine that is busy with other tests; alone it takes a few."""
_ADDRESS = re.compile(r"RPC api listening on (\S+)|HTTP API listening on (\S+)", re.IGNORECASE)


class DaemonAbsent(Exception):
    """The daemon's packages are not installed."""


def command_line() -> Path:
    """js-ipfs's program, installed first where `make test` has not yet done so.

    Raises DaemonAbsent.
    """
    root = HERE.parents[1]
    chosen = os.environ.get("SOUK_IPFS_DAEMON")
    modules = Path(chosen or root / ".cache/ipfs-daemon/node_modules")
    program = modules / "ipfs" / "src" / "cli.js"
    if not program.is_file() and not chosen:
        subprocess.run([root / "tools" / "setup", "ipfs-daemon"], check=False)
    if not program.is_file():
        raise DaemonAbsent(
            f"the IPFS daemon for tests is not installed in {modules}: "
            "run `tools/setup ipfs-daemon`, or name its node_modules in SOUK_IPFS_DAEMON"
        )
    return program


@contextmanager
def running_daemon(folder: Path, *, peers: bool = False) -> Iterator[str]:
    """Runs a daemon, its repository in `folder`, and gives the multiaddr of its RPC interface.

    peers: whether it may have any. It looks for none, and is reached at this machine alone.
    """
    program = command_line()
    environment = os.environ | {
        "IPFS_PATH": str(folder / "repo"),
        "NODE_OPTIONS": f"--import={PRELOAD.as_uri()}",
        "NO_UPDATE_NOTIFIER": "1",
    }
    log = folder / "daemon.log"

    def run(*arguments: str) -> list[str]:
        return ["node", str(program), *arguments]

    # The profile "test" listens on free local ports and knows no other node.
    subprocess.run(
        run("init", "--profile=test", "--emptyRepo"),
        env=environment,
        check=True,
        timeout=START_SECONDS,
        stdout=subprocess.DEVNULL,
    )
    config_file = folder / "repo" / "config"
    config = json.loads(config_file.read_text())
    # It refuses to listen offline.
    config["Addresses"]["Swarm"] = ["/ip4/127.0.0.1/tcp/0"] if peers else []
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Addresses"]["RPC"] = "/ip4/127.0.0.1/tcp/0"  # gRPC, which has a fixed port otherwise
    config_file.write_text(json.dumps(config))
    alone = [] if peers else ["--offline"]
    with log.open("wb") as errors:
        daemon = subprocess.Popen(
            run("daemon", "--silent=false", "--enable-preload=false", *alone),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield _address(daemon, log)
    finally:
        daemon.kill()
        daemon.wait()
        if daemon.stdout is not None:
            daemon.stdout.close()


def _address(daemon: subprocess.Popen[str], log: Path) -> str:
    assert daemon.stdout is not None
    said = []
    for line in daemon.stdout:
        said.append(line)
        if found := _ADDRESS.search(line):
            return found[1] or found[2]
    raise RuntimeError(
        f"the IPFS daemon ended before it listened: {''.join(said)}{log.read_text()}"
    )
