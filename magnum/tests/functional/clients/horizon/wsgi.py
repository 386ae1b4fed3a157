"""Horizon and its static files, as gunicorn serves them. Runs in Horizon's environment."""

from django.conf import settings  # type: ignore[import-not-found]
from openstack_dashboard.wsgi import application as horizon  # type: ignore[import-not-found]
from whitenoise import WhiteNoise  # type: ignore[import-not-found]

application = WhiteNoise(horizon, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
