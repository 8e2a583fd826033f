"""Ray Serve applications that can be tuned."""
