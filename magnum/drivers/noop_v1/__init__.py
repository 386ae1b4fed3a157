"""The tutorial driver: clusters that exist only in the answers of this driver."""
