"""What drivers of Docker Swarm share: the template's definition, and how the running Swarm is asked."""
