"""Measurements: peers side by side, ratios of one run."""
