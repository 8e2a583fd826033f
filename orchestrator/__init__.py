"""Searches over Ray Serve configurations and measures each under a stated load."""

__version__ = "0.1.0"
