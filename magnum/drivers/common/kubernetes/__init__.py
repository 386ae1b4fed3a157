"""What the Kubernetes drivers share: parameters, the cluster's API, health, idle nodes, endpoints."""
