"""A session on the connected chain, checked against the datastore and counted again."""

from __future__ import annotations

from offchain.data.imageset import Progress
from offchain.seccl.audit import AuditError, Findings, audit
from offchain.storage import Datastore
from scripts._seccl.chain import FederationChain
from scripts._stage.wallet import recover


def audit_session(
    chain: FederationChain,
    store: Datastore,
    progress: Progress | None = None,
    trusted: str | None = None,
) -> Findings:
    """Checks what events tell, and that board and consensus themselves say the same.

    trusted: as `audit` takes it. Raises AuditError at the first thing
    that leaves a result or a model in doubt.
    """
    findings = audit(chain.session, store, recover, progress, trusted)
    for key, message, path in findings.counted:
        if not chain.is_posted(key, message, path):
            raise AuditError(
                f"round {key.round}, {key.kind.name.lower()}s, member {key.author}: the board does "
                "not say that this message counts"
            )
    for number, result in enumerate(findings.results):
        kept = chain.result(number)
        if kept != (result.winners, result.points):
            raise AuditError(
                f"round {number}: the contract keeps {kept}, counted again it is "
                f"{(result.winners, result.points)}"
            )
    return findings
