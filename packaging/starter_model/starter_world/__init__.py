"""The drawn world: a small vocabulary, and a captioned picture for everything it can say."""
