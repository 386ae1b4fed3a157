"""Build entry for tools that still look for a setup.py; everything is said in setup.cfg."""

import setuptools

setuptools.setup(setup_requires=["pbr>=6.1.1"], pbr=True)
