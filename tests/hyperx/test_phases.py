"""Phase x function x role against one table: who may do what when, and what others are told."""

import pytest

from offchain.crypto.settlement import NATIVE
from tests.hyperx.phases import PHASES, STAGES, Cast
from tests.hyperx.session_driver import (
    DRAW_SECRET,
    OPEN,
    SEALED,
    SessionDriver,
    open_session,
)
from tests.kit.refusals import refusal

# What the right caller of each function gets in each phase; "ok" where the call goes through.
# prove: the review in force is honest, so a proof fails at its very last check.
TABLE = """
phase        register   sample     request    draw       features   candidate  review                 optimal        refuse         prove          claim       close       settle  deposit    escrow
registering  ok         ok         ok         ok         ok         TooEarly   WrongState             WrongState     WrongState     WrongState     WrongState  TooEarly    ok      NotEnded   NotEnded
submitting   TooLate    TooLate    TooLate    TooLate    ok         TooEarly   WrongState             WrongState     WrongState     WrongState     WrongState  TooEarly    ok      NotEnded   NotEnded
selecting    TooLate    TooLate    TooLate    TooLate    TooLate    ok         WrongState             WrongState     WrongState     WrongState     WrongState  ok          ok      NotEnded   NotEnded
reviewing    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState ok                     ReviewMissing  ReviewMissing  ReviewMissing  WrongState  WrongState  ok      NotEnded   NotEnded
unopened     TooLate    TooLate    TooLate    TooLate    TooLate    ok         TooLate                TooLate        TooLate        TooLate        WrongState  ok          ok      NotEnded   NotEnded
deciding     TooLate    TooLate    TooLate    TooLate    TooLate    WrongState ReviewAlreadySubmitted ok             ok             KeyIsRight     WrongState  WrongState  ok      NotEnded   NotEnded
undecided    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState TooLate                TooLate        TooLate        TooLate        WrongState  WrongState  ok      ok         ok
claiming     TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     ok          WrongState  ok      NotEnded   NotEnded
unclaimed    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     TooLate     WrongState  ok      ok         ok
dealt        TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         NothingOwed
closed       TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         ok
refused      TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         ok
spoilt       TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         ok
exposed      TooLate    TooLate    TooLate    TooLate    TooLate    ok         WrongState             WrongState     WrongState     WrongState     WrongState  ok          ok      NotEnded   NotEnded
late         TooLate    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState             WrongState     WrongState     WrongState     WrongState  ok          ok      NotEnded   NotEnded
expired      TooLate    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState             WrongState     WrongState     WrongState     WrongState  ok          ok      ok         ok
"""  # noqa: E501

# The same for the phases of sealed settlement. There deliverKey has what claim has above.
SEALED_TABLE = """
phase        register   sample     request    draw       features   candidate  review                 optimal        refuse         prove          claim       close       settle  deposit    escrow      dispute
delivered    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      NotEnded   NotEnded    KeyIsRight
undisputed   TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         NothingOwed TooLate
sold         TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         NothingOwed WrongState
convicted    TooLate    TooLate    TooLate    TooLate    TooLate    WrongState WrongState             WrongState     WrongState     WrongState     WrongState  WrongState  ok      ok         ok          WrongState
"""  # noqa: E501

NO_PERMIT = (0, 0, bytes(32), bytes(32))

# Who may call, and what tells everybody else that it may not (checked before or after the phase).
ROLES = {
    "register": ({"newcomer"}, {"AlreadyRegistered"}),
    "permit": ({"collector", "provider", "rival", "half", "newcomer"}, set()),
    "multicall": ({"newcomer"}, {"AlreadyRegistered"}),
    "sample": ({"collector"}, {"NotCollector"}),
    "request": ({"collector"}, {"NotCollector"}),
    "draw": ({"collector", "provider", "rival", "half", "newcomer"}, set()),
    "features": ({"half"}, {"NotProvider", "FeaturesAlreadySubmitted"}),
    "candidate": ({"collector"}, {"NotCollector"}),
    "review": ({"provider"}, {"NotCandidate"}),
    "optimal": ({"collector"}, {"NotCollector"}),
    "refuse": ({"collector"}, {"NotCollector"}),
    "rubbish": ({"collector"}, {"NotCollector"}),
    "prove": ({"collector"}, {"NotCollector"}),
    "claim": ({"provider"}, {"NotCandidate"}),
    "deliver": ({"provider"}, {"NotCandidate"}),
    "dispute": ({"collector"}, {"NotCollector"}),
    "close": ({"collector"}, {"NotCollector"}),
    "settle": ({"collector", "provider", "rival", "half", "newcomer"}, set()),
    "deposit": ({"rival", "half"}, {"NotProvider"}),
    "escrow": ({"collector"}, {"NotCollector"}),
}


def parse(table: str) -> dict[str, dict[str, str]]:
    """The table by phase, then by function."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    assert all(len(row) == len(head) for row in rows)
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def expected(settlement: int) -> dict[str, dict[str, str]]:
    """The table of one settlement: handing over has two calls, of which the other is refused."""
    table = {phase: row | {"dispute": "WrongState"} for phase, row in parse(TABLE).items()}
    if settlement == SEALED:
        table |= parse(SEALED_TABLE)
    for row in table.values():
        row["rubbish"] = row["refuse"]
        row["permit"] = "ok"
        # Of `register`, for which it cannot bring a coin: the right caller is told what is due.
        row["multicall"] = "WrongPayment" if row["register"] == "ok" else row["register"]
        taken, refused = ("claim", "deliver") if settlement == OPEN else ("deliver", "claim")
        row[taken], row[refused] = row["claim"], "WrongSettlement"
    return table


def calls(driver: SessionDriver, cast: Cast) -> dict[str, tuple]:
    """Every function with the arguments an honest caller would send."""
    s, provider = driver.session, cast.provider
    entry = driver.entry(provider)
    key = driver.entry(cast.rival).one_time_key
    if entry.sealed is None:
        driver.seal(provider)
    if entry.delivered is None:
        driver.seal_session_key(provider)
    return {
        "register": (s.register, b"\1" * 32, b"\2" * 32, b"\3" * 32),
        "permit": (s.permit, NATIVE, driver.terms.deposit, NO_PERMIT),
        "multicall": (s.multicall, [s.register.encode_input(b"\1" * 32, b"\2" * 32, b"\3" * 32)]),
        "sample": (s.sampleData, cast.waiting, [1]),
        "request": (s.requestDraw, cast.waiting, b"\5" * 32),
        "draw": (s.drawSample, cast.drawing, DRAW_SECRET),
        "features": (s.submitFeatures, b"\4" * 32),
        "candidate": (s.setCandidate, cast.rival, key.x, key.y),
        "review": (s.submitReview, driver.review_args(provider)),
        "optimal": (s.setOptimal, provider),
        "refuse": (s.refuseReview, provider),
        "rubbish": (s.declareRubbish, provider),
        "prove": (s.proveWrongKey, driver.evidence_args(provider, entry.sampled[0])),
        "claim": (s.claimReward, *driver.claim_args(provider)),
        "deliver": (s.deliverKey, driver.delivery_args(provider)),
        "dispute": (s.proveWrongDelivery, driver.dispute_args(provider, 0)),
        "close": (s.close,),
        "settle": (s.settle,),
        "deposit": (s.claimDeposit, provider),
        "escrow": (s.reclaimEscrow, provider),
    }


@pytest.mark.parametrize("settlement", PHASES)
def test_the_table_speaks_of_every_phase_and_every_function(session, settlement):
    """A function added to the contract, or a phase added to the tests, needs its row or column."""
    table = expected(settlement)
    assert set(table) == set(PHASES[settlement])
    abi = session.session.contract_type.mutable_methods
    assert len(abi) == len(ROLES)
    assert all(set(row) == set(ROLES) for row in table.values())


@pytest.mark.parametrize(("settlement", "phase"), STAGES)
def test_who_may_do_what(factory, collector, cast, settlement, phase):
    """The right caller gets what the table says; nobody else ever gets through."""
    driver = open_session(factory, collector, settlement=settlement)
    PHASES[settlement][phase](driver, cast)
    row = expected(settlement)[phase]
    wrong = []
    for function, (method, *args) in calls(driver, cast).items():
        callers, excuses = ROLES[function]
        value = driver.terms.deposit if function == "register" else 0
        for role in ("collector", "provider", "rival", "half", "newcomer"):
            if function == "deposit" and role == "provider":
                continue  # What the candidate is owed depends on its story: test_silence.py.
            if function in ("register", "multicall") and role == "collector":
                continue  # As good as any newcomer: test_register.py.
            sender = getattr(cast, role)
            outcome = refusal(method, *args, sender=sender, value=value)
            name = outcome.name if outcome else "ok"
            allowed = {row[function]} if role in callers else excuses | ({row[function]} - {"ok"})
            if name not in allowed:
                wrong.append(f"{function} by {role}: {name}, not {sorted(allowed)}")
    assert wrong == []
