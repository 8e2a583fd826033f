"""Jobs for offline trials: `build(args)` returns what is run step by step (docs/offline.md)."""
