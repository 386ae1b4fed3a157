"""The plugin that brings the ``openstack bay`` commands.

It runs inside the user's ``openstack`` command, so it imports nothing else of this project: everything that it knows,
it has from the REST API.
"""
