"""Small finished pieces of which panes are made."""
