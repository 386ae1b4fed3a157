"""Tests of the tools that start services."""
