"""Tests of our own checks: each has to find what it is there to find."""
