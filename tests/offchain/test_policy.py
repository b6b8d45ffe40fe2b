"""An owner's limits: what is within is accepted, what is outside is refused with every reason."""

import pytest

from offchain.policy import Limit, Policy, TermsRefused

OWNERS = Policy(
    {
        "deposit": Limit(most=10**18, unit="wei"),
        "response time": Limit(least=600, most=86_400, unit="s"),
    }
)


@pytest.mark.parametrize("response", [600, 86_400])
def test_the_bounds_themselves_are_accepted(response):
    OWNERS.check({"deposit": 10**18, "response time": response, "reward": 0})


def test_without_limits_all_terms_are_accepted():
    Policy().check({"deposit": 2**96})
    Policy({"deposit": Limit()}).check({"deposit": 2**96})


def test_every_reason_is_named_in_one_line_with_value_and_bound():
    """Amounts to the last digit, which a float would lose."""
    with pytest.raises(TermsRefused) as caught:
        OWNERS.check({"deposit": 10**18 + 1, "response time": 599})
    assert str(caught.value) == (
        "terms refused: deposit: 1000000000000000001 wei, at most 1000000000000000000 wei is "
        "accepted; response time: 599 s, at least 600 s is accepted"
    )


def test_a_share_is_told_as_a_short_number():
    with pytest.raises(TermsRefused, match=r"share: 0.3333, at most 0.25 is accepted$"):
        Policy({"share": Limit(most=0.25)}).check({"share": 1 / 3 * 0.9999})


def test_a_limit_on_something_that_terms_do_not_have_protects_nobody_and_says_so():
    with pytest.raises(ValueError, match="no such quantity in these terms: depsoit"):
        Policy({"depsoit": Limit(most=1)}).check({"deposit": 2})
