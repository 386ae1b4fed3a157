"""Console scripts, one small file each. The top floor: nothing imports it."""
