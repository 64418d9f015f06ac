"""What control_loop.py runs: a file a claim."""
