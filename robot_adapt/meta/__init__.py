"""Meta-training in simulation: ES-MAML, the executors that run its work, checkpoints, learning curves."""
