"""Settings of the tests' Horizon, imported by Horizon itself, in the environment of its own.

What differs from run to run comes in variables (``Dashboard.variables``). The static files, which are made once and
kept, are made with this file too.
"""

import os

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = os.environ["HORIZON_SECRET"]

STATIC_ROOT = os.environ["HORIZON_STATIC"]
COMPRESS_ENABLED = True
COMPRESS_OFFLINE = True

OPENSTACK_KEYSTONE_URL = os.environ["HORIZON_KEYSTONE"]
DEFAULT_SERVICE_REGIONS = {"*": os.environ["HORIZON_REGION"]}

# One process serves a test, so that its memory can hold the sessions.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# The cloud's flavors are small; the panel would offer none of them.
MAGNUM_MINIMUM_FLAVOR_RAM = "0"
MAGNUM_MINIMUM_FLAVOR_VCPU = "0"
