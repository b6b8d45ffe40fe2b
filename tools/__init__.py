"""What `make` runs: set-up, the checks in two lanes, and what a change touches."""
