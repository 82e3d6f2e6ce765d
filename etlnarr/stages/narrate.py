"""Insights to examples: instruction, data block and narrative, each printed number with its witness."""
