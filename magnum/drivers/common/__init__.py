"""What several drivers share and Heat has no part in: options, templates' parts, node scripts."""
