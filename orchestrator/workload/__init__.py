"""What is sent: turns an experiment's `workload` into payloads. Knows no Serve and no load generator."""
