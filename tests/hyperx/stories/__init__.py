"""Whole sessions: real chain, real storage, real extractor."""
