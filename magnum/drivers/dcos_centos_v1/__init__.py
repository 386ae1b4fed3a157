"""DC/OS on CentOS nodes, built with Heat."""
