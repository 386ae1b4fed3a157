"""Drivers to learn from. They are no part of the service: each is a directory to be put under ``[drivers] paths``."""
