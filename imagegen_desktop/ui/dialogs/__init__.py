"""Windows beside the main one: settings, models, command palette, full-screen preview."""
