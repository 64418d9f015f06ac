"""The studies of algorithms.py: each gives the rows of one table; figures.py draws them."""
