"""Bundled models: how they are defined, trained, exported and found again."""
