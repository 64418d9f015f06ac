"""What this project measures itself against: each as its authors have it, with a budget and knobs of its own."""
