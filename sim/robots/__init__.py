"""One file a robot: geometry, leg kinematics, spec, and the URDF the world loads."""
