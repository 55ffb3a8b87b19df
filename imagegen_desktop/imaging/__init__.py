"""Pictures in and out: strangers' files decoded in a throw-away process, ours encoded with their history inside."""
