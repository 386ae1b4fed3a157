"""Kubernetes on Fedora virtual machines, built with Heat."""
