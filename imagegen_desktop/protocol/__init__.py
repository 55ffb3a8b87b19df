"""The words the application and its engine process exchange, and how they lie on the wire."""
