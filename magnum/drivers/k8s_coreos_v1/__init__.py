"""Kubernetes on virtual machines whose images are set up by Ignition, built with Heat."""
