"""The use cases, shared by window, command line and server; free of Qt, torch, SQL and HTTP."""
