"""Docker Swarm on Fedora Atomic nodes, built with Heat."""
