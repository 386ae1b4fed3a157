"""The REST API: from bytes on the wire to calls of the lifecycle and stores, and back. No driver's verb runs in it."""
