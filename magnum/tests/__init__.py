"""The tests: `unit` (fast, no server) and `functional` (real databases, broker, cloud)."""
