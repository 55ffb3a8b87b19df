"""Panes: each alone, with signals up and show_… methods down; they do not know each other."""
