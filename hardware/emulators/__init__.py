"""Byte-level devices behind pseudo-terminals, with any Robot's physics behind them. Faults on command."""
