"""Keystone: the service's own identity and sessions, and what is checked with a caller's token. A wing."""
