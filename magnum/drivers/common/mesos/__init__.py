"""Talking to the masters of a Mesos cluster, with TLS and without."""
