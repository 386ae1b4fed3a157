"""A driver without Heat: its verbs run an Ansible playbook through ansible-runner."""
