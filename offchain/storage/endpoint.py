"""Where a node's RPC interface is."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

from offchain.storage.datastore import DatastoreUnavailable


def parse_endpoint(endpoint: str) -> tuple[str, str, tuple[str, str] | None]:
    """Multiaddr, name to show (without password) and credentials of an endpoint."""
    if endpoint.startswith("/"):
        return endpoint, endpoint, None
    url = urlsplit(endpoint)
    try:
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        host = url.hostname or ""
        shown = f"{url.scheme}://{host}:{port}"
        if not host or url.path not in ("", "/") or url.query:
            raise ValueError(shown)
    except (KeyError, ValueError) as error:
        raise DatastoreUnavailable(
            f"{endpoint.rpartition('@')[2]!r} is neither http://HOST:PORT nor a multiaddr"
        ) from error
    try:
        kind = f"ip{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "dns"
    auth = (unquote(url.username), unquote(url.password or "")) if url.username else None
    return f"/{kind}/{host}/tcp/{port}/{url.scheme}", shown, auth
