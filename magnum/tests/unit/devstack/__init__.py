"""Tests of the DevStack plugin against functions that only record how they are called."""
