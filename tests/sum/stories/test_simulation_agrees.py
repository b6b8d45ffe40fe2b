"""What the simulator says is what the contracts do: same amounts, same predictions, same model."""

from collections import Counter
from dataclasses import replace

import pytest

from offchain.sum.agents import BAD, GOOD, Agent
from offchain.sum.reviews import split
from offchain.sum.rules import StakeTerms, Verdict
from offchain.sum.setting import COIN, Setting
from offchain.sum.simulation import Simulation
from scripts._sum.lockstep import Disagreement, Lockstep
from tests.kit.node import quiet_node
from tests.offchain.sum.made_reviews import make_reviews

DAY = 86_400
PARTS = split(make_reviews(700, num_words=300), 0, train_size=0.1, test=100)
SETTING = Setting(
    agents=(
        replace(GOOD, mean_update_wait_s=3_000),
        replace(GOOD, name="careless", mean_update_wait_s=4_000, prob_mistake=0.2),
        replace(BAD, mean_update_wait_s=6_000),
        Agent("noise", strategy="random", mean_update_wait_s=9_000),
        # Comes so rarely that others take what is its.
        replace(GOOD, name="rare", mean_update_wait_s=12 * DAY, stdev_update_wait_s=DAY),
    ),
    # The cost does not divide by the good contributions, so that the pot keeps a rest.
    terms=StakeTerms(unit=COIN, submission_cost=2 * COIN, verdict=Verdict()),
)
ATTACKED = Setting(
    agents=(
        replace(GOOD, mean_update_wait_s=3_000),
        Agent("other", strategy="trusting", mean_update_wait_s=4_000),
        Agent("turns", strategy="flipper", mean_update_wait_s=2_000, mean_deposit=100),
        Agent("washes", strategy="launderer", mean_update_wait_s=2_000, mean_deposit=100),
    ),
    terms=StakeTerms(
        unit=COIN, submission_cost=COIN, verdict=Verdict(author_s=8_000, wait_s=7_000, quiet_s=120)
    ),
    # One lesson turns what it touches.
    largest_weight=5,
)


@pytest.fixture(scope="module")
def people(accounts):
    """The owner, then one account for each agent."""
    return [accounts[i] for i in range(1 + len(SETTING.agents))]


def test_the_contracts_do_what_the_simulator_says(people):
    """Every event at its second: amounts, predictions, balances, deposits, good data, pot; and in
    the end every weight. Whoever studies the simulator studies the contracts."""
    parts = replace(PARTS, stream=PARTS.stream.subset(range(180)))
    simulation = Simulation(parts, SETTING, 0, log=True)
    with quiet_node():
        both = Lockstep.alone(simulation, parts.stream, people)
        while not simulation.done:
            both.step()
        both.check_model()
        assert both.chain.balance() == simulation.pot.held
    assert simulation.submitted >= 150
    assert simulation.left == [0] * len(simulation.left)
    assert (simulation.model.weights != simulation.result().initial).any()
    kinds = Counter(event.kind for event in simulation.result().events)
    assert sum(kinds.values()) == sum(map(len, both.calls.values()))
    for kind in ("announce", "refund", "report", "take over", "collect"):
        assert kinds[kind] >= 3, kinds
    reports = Counter(
        event.contribution for event in simulation.result().events if event.kind == "report"
    )
    assert max(reports.values()) >= 2, "no contribution was reported by several"


def test_the_contracts_stand_attacks_as_the_simulator_says(people):
    """The same while verdicts are attacked: what stands announced falls, and is announced again."""
    parts = replace(PARTS, stream=PARTS.stream.subset(range(200)))
    simulation = Simulation(parts, ATTACKED, 4, log=True)
    with quiet_node():
        both = Lockstep.alone(simulation, parts.stream, people)
        while not simulation.done:
            both.step()
        both.check_model()
    events = simulation.result().events
    times = Counter(e.contribution for e in events if e.kind == "announce")
    assert max(times.values()) >= 3
    assert sum(e.kind == "object" for e in events) >= 3
    assert sum(e.kind == "uphold" for e in events) >= 3
    assert all(tally.submitted for tally in simulation.tallies)
    assert simulation.tallies[0].answered >= 3


def test_the_contracts_charge_for_information_as_the_simulator_does(people):
    """The same under EntropyIncentive, with an agent that echoes the model and one that copies."""
    agents = (
        *SETTING.agents[:3],
        Agent("echo", strategy="parrot", mean_update_wait_s=5_000),
        Agent("copy", strategy="copycat", mean_update_wait_s=9_000),
    )
    terms = replace(SETTING.terms, stated_accuracy=7_700)
    parts = replace(PARTS, stream=PARTS.stream.subset(range(120)))
    simulation = Simulation(parts, replace(SETTING, agents=agents, terms=terms), 0, log=True)
    with quiet_node():
        both = Lockstep.alone(simulation, parts.stream, people)
        while not simulation.done:
            both.step()
        both.check_model()
    contradict, agree = terms.costs
    paid = [event for event in simulation.result().events if event.kind == "add"]
    costs = {e.amount - simulation.contributions[e.contribution].deposit for e in paid}
    assert costs == {contradict, agree}
    assert all(tally.submitted >= 5 for tally in simulation.tallies)
    assert simulation.tallies[-1].refunded >= 5
    assert simulation.incentive.good[-1] == 0, "a copy is no good data"


@pytest.mark.parametrize("wrong", ["deposits", "a good count", "a weight"])
def test_a_difference_is_seen(people, wrong):
    """Where the simulator were off by one, the comparison would not pass."""
    simulation = Simulation(PARTS, SETTING, 0, log=True)
    with quiet_node():
        both = Lockstep.alone(simulation, PARTS.stream, people)
        while len(simulation.events) < 30:
            both.step()
        if wrong == "deposits":
            simulation.balances[0] -= 1
        elif wrong == "a good count":
            simulation.incentive.good[0] += 1
        else:
            simulation.model.weights[7] -= 1
        with pytest.raises(Disagreement):
            _go_on(both)


def _go_on(both: Lockstep) -> None:
    for _ in range(5):
        both.step()
    both.check_model()
