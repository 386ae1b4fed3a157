"""Kubernetes on bare metal with Fedora, built with Heat and Ironic."""
