"""Drivers: how each kind of cluster is built, and the border behind which that happens."""
