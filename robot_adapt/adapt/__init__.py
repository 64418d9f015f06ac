"""Adapting a robot: trials, session, journal, and where the return comes from."""
