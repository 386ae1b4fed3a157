"""The WSGI callable of the API: ``gunicorn magnum.wsgi.api:application``.

The variable OS_MAGNUM_CONFIG_FILES names the configuration files, separated by colons; without it oslo.config's usual
places are searched. The server's own command line is not looked at.
"""

import os

from magnum.api import app

_files = [path for path in os.environ.get("OS_MAGNUM_CONFIG_FILES", "").split(":") if path]

app.prepare(_files or None)
application = app.make()
