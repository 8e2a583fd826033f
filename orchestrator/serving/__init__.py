"""Ray Serve: one writer of the cluster's desired state, slots for trials, readiness with a deadline."""
