"""The REST API: from bytes on the wire to calls of the lifecycle and the stores, and back. It never runs a driver."""
