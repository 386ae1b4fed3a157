"""Name and version of this driver. A minor change bumps the version; a major one is a new directory."""

driver = "swarm_atomic"
version = "2.1.0"
