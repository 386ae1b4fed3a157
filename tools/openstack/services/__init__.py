"""The services of the cloud: one file and one class each, which knows that service's configuration.

What they have in common is in ``base.py``; their order and the whole cloud are in ``tools.openstack.cloud``.
"""
