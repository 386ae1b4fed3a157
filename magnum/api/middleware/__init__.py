"""What stands around the Pecan application: request ids, faults, the protocol's own rules, the token check."""
