"""Name and version of the driver that the tests of the suite spoil."""

driver = "good"
version = "1.0.0"
