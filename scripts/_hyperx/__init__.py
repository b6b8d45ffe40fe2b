"""HyperX on a chain: trading sessions and their stories."""
