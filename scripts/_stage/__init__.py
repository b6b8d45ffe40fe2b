"""What every command uses: the chain, money, accounts, telling, reports."""
