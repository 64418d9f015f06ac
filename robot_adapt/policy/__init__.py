"""Policies: a linear map that modulates a trajectory generator (PMTG), its normalizer, and the file it travels in."""
