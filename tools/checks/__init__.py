"""What `tools/test` and tox run: the stages, the environment they need, and our own checks.

Stands outside the layers of the service: nothing in `magnum/` imports it.
"""
