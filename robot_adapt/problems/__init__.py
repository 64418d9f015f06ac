"""Small tasks from the papers, on which algorithms are shown to be right: seconds, not hours. No simulator, no robot."""
