"""The ground floor: what every wing may stand on. Nothing here knows the database, Keystone, Heat or HTTP."""
