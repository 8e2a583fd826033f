"""Samples to measurement: pure numpy, no I/O, no clock."""
