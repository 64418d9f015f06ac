"""The recovery report: numbers from stored trials, then pictures and pages from those numbers."""
