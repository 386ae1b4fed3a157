"""Short forms of the benchmark on a real PostgreSQL."""
