"""No call costs more because more providers take part."""

import ape

from tests.hyperx.session_driver import open_session
from tests.kit.snapshots import undone


def test_gas_is_flat_in_the_number_of_providers(factory, collector, provider, rival):
    """The last of 1, 10, 100 and 1,000 providers pays what the second one pays, and so do all.

    Extra providers are registered through impersonation, which signs nothing and is fast. Calls
    that differ by the zero bytes of their calldata alone are compared with that tolerance.
    """
    used = {}
    for crowd in (1, 10, 100, 1_000):
        with undone():
            # A block takes a second: the window must hold a thousand of them.
            now = ape.chain.pending_timestamp
            times = {"registrationEnd": now + 4_000, "submissionEnd": now + 5_000}
            driver = open_session(factory, collector, **times)
            _register_crowd(driver, crowd)
            used[crowd] = _play(driver, provider, rival)
    for call in used[1]:
        costs = [used[crowd][call] for crowd in used]
        assert max(costs) - min(costs) <= 64 * 40, (call, costs)


def _register_crowd(driver, count):
    web3 = ape.chain.provider.web3
    deposit = driver.terms.deposit
    data = driver.session.register.encode_input(b"\1" * 32, b"\2" * 32, b"\3" * 32)
    sent = []
    for number in range(1, count + 1):
        account = f"0x{number + (1 << 150):040x}"
        web3.provider.make_request("anvil_setBalance", [account, hex(deposit + 10**18)])
        web3.provider.make_request("anvil_impersonateAccount", [account])
        transaction = {
            "from": account,
            "to": driver.session.address,
            "data": data.hex() if isinstance(data, bytes) else data,
            "value": hex(deposit),
            "gas": hex(200_000),
        }
        answer = web3.provider.make_request("eth_sendTransaction", [transaction])
        assert "result" in answer, answer
        sent.append(answer["result"])
    # Anvil answers before it has mined.
    for hash_ in sent:
        web3.eth.wait_for_transaction_receipt(hash_, poll_latency=0.02)
    expected = driver.escrow + count * deposit
    assert driver.session.balance == expected


def _play(driver, provider, rival):
    receipts = {}
    for p in (rival, provider):
        receipts["register"] = driver.register(p)
        receipts["sample"] = driver.sample(p, [1, 4])
        receipts["features"] = driver.submit_features(p)
    receipts["candidate"] = driver.set_candidate(provider)
    receipts["review"] = driver.submit_review(provider)
    receipts["optimal"] = driver.set_optimal(provider)
    receipts["claim"] = driver.claim_reward(provider)
    receipts["deposit"] = driver.claim_deposit(rival)
    return {call: receipt.gas_used for call, receipt in receipts.items()}
