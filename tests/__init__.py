"""Tests of the contracts, the oracles and the stories."""
