"""The suite that every driver has to pass, ours and other people's: ``magnum-driver-manage conformance DIR``.

It is a part of the drivers' wing that the service never imports while it runs. :mod:`.cases` lists what is tried,
:mod:`.world` is what a driver's own ``conformance.py`` derives from, :mod:`.plugin` is the plugin for pytest.
"""
