"""What model files look like from outside: strict readers of headers and folders that load no tensor and run nothing.

Both wings stand on them: the library to recognise a file, the engine to refuse it before a foreign loader sees it.
"""
