"""Simulated robots: PyBullet physics behind hardware.Robot. Imports hardware; knows nothing of policies or adaptation."""
