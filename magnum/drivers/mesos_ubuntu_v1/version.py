"""Name and version of this driver. A minor change bumps the version; a major one is a new directory."""

driver = "mesos_ubuntu"
version = "1.0.0"
