"""Docker Swarm on Fedora Atomic nodes with managers that only manage, built with Heat."""
