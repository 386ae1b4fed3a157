"""Tests of the stand-in with real clients over real HTTP."""
