"""Inertial measurement units: one file a device family."""
