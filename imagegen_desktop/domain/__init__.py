"""The vocabulary of the program: frozen values and pure functions, standard library only."""
