"""What ``tools/quickstart`` and ``tools/cloud`` share: starting, configuring and seeding a real OpenStack.

Import these modules as ``tools.openstack.<name>`` with the top of the checkout on ``sys.path``. Never put
``tools/`` or ``tools/openstack/`` themselves there: ``openstack``, ``keystone`` and ``magnum`` are also
the names of other people's packages.
"""
