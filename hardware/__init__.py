"""Robots as the rest of the project sees them: types, the Robot and Clock protocols, drivers. Knows nobody."""
