"""A contract that anybody may have written ends nobody's command by what it answers."""

from __future__ import annotations

import json

import ape
import pytest

from scripts._stage.chain import ActionRefused
from scripts._stage.foreign import asked
from scripts._stage.keeping import Duty, keep
from scripts._stage.money import currency, erc20
from scripts._stage.party import PartyTelling

TOKEN = "0x" + "71" * 20


def returns(*words: str) -> str:
    """Code that answers every call with these words of 32 bytes, in hex."""
    code = "".join(f"7f{word}61{32 * i:04x}52" for i, word in enumerate(words))
    return f"0x{code}61{32 * len(words):04x}5ff3"


WORD = f"{32:064x}"
ANSWERS = {
    "nothing": "0x00",
    "a refusal": "0x5f5ffd",
    "a pointer that leads nowhere": returns("ff" * 32),
    "a text that is none": returns(WORD, f"{2:064x}", "fffe" + "00" * 30),
    "a length without end": returns(WORD, "ff" * 32),
    "bytes in place of a text": returns("4d4b52" + "00" * 29),
}


@pytest.mark.parametrize("code", ANSWERS.values(), ids=ANSWERS)
def test_a_token_that_tells_no_name_pays_in_units(project, code):
    ape.chain.provider.make_request("anvil_setCode", [TOKEN, code])
    assert currency(TOKEN) == ("units", 0)


def test_a_refusal_is_no_answer(project):
    ape.chain.provider.make_request("anvil_setCode", [TOKEN, ANSWERS["a refusal"]])
    assert asked(erc20(TOKEN), "symbol") is None


def test_what_one_mechanism_cannot_tell_costs_no_other_its_keeper(deployer, capsys):
    def broken():
        raise ActionRefused("the node has no such block")
        yield

    done = []

    class Method:
        def __call__(self, *arguments, **options):
            done.append(arguments)
            raise ActionRefused("done before")

        def __str__(self) -> str:
            return "settle()"

    duties = [broken, lambda: [Duty("0x", "settled", Method())]]
    keep(duties, deployer, PartyTelling(as_json=True), once=True)
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["chain_silent", "refused"]
    assert len(done) == 1
