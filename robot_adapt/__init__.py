"""Meta-train a legged robot's policy in simulation, adapt it on the robot in about a minute of trials, show the recovery."""

__version__ = "0.1.0"
MAX_SEED = 2**63 - 1
