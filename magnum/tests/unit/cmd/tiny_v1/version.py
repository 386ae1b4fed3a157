"""Name and version of the small driver that tests of magnum-driver-manage fork and spoil."""

driver = "tiny"
version = "1.0.0"
