"""The recovery benchmark: how much of what a hobble took each method wins back, at equal robot time."""
