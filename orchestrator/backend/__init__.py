"""Runs the trials that a searcher suggests: Ray Tune on a cluster."""
