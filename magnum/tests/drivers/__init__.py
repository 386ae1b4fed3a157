"""What the checks over all drivers of the tree share: bays for each of them, and what their templates make of a bay."""
