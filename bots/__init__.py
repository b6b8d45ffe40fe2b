"""Silverback bots."""
