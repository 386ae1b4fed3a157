"""Real cluster nodes on this machine: systemd-nspawn containers that boot as Nova guests do.

The package behind ``tools/nodes``. Only what follows a cloud (``follow``, ``nova_view``) needs more than the standard
library. It stands on ``tools.openstack``'s console, processes and cache folder; nothing of ``magnum`` is imported.
"""
