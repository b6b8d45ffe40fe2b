"""What the parts of the study are called; apart, for a command line that has to answer at once."""

SWEEPS = (
    "num_words",
    "train_size",
    "mean_deposit",
    "num_words-long",
    "train_size-long",
    "mean_deposit-long",
    "cost-kept",
    "cost-locked",
    "cost-weight",
    "both_deposits",
    "start_balance",
    "wait",
    "flood",
    "stdev_deposit",
    "prob_mistake",
    "stream",
)
BEYOND = ("crowd", "maps", "entropy", "attacks")
PARTS = (*SWEEPS, *BEYOND)
