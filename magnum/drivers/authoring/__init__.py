"""What drivers' authors and operators are helped with: listing, forking, checking and comparing directories of drivers.

``magnum-driver-manage`` is made of it. The service itself does not use it while it runs, and nothing in here needs a
database or a cloud.
"""
