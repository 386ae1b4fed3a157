"""``magnum-conductor``: the process that does the work."""

import sys

from oslo_config import cfg
from oslo_log import log
from oslo_service import service

from magnum.conductor.service import Conductor
from magnum.conf import CONF, opts
from magnum.version import version_string


def main() -> int:
    """Run until a signal ends it. Returns the exit code."""
    log.register_options(CONF)
    try:
        CONF(
            sys.argv[1:],
            project="magnum",
            prog="magnum-conductor",
            version=version_string(),
            description="Builds, changes and deletes bays. Any number of conductors may run side by side.",
        )
        opts.check(CONF)
    except cfg.Error as error:
        print(f"magnum-conductor: {error}", file=sys.stderr)
        return 1
    log.setup(CONF, "magnum")
    launcher = service.launch(
        CONF, Conductor(), workers=CONF.conductor.workers, restart_method="mutate"
    )
    return launcher.wait() or 0


if __name__ == "__main__":
    sys.exit(main())
