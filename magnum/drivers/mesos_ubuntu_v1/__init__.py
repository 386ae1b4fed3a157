"""Mesos with ZooKeeper and Marathon on Ubuntu nodes, built with Heat."""
