"""Perturbations, gradient estimates and adaptation operators: numpy in, numpy out, seeded, serializable."""
