"""What other programs write into their pictures, read by one module for each family of programs."""
