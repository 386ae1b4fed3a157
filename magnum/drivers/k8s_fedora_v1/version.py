"""Name and version of this driver. A minor change bumps the version; a major one is a new directory."""

driver = "k8s_fedora"
version = "1.1.0"
