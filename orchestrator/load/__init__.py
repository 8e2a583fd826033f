"""Drives load at an HTTP endpoint and records every request; knows no Serve, no model and no SLO."""
