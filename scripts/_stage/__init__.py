"""What every command uses: the chain, money, accounts, telling, reports."""

from offchain.threads import wait_asleep

# Here, since every command loads the stage before anything that computes.
wait_asleep()
