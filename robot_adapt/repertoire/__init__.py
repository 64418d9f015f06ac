"""A library of specialists around the meta-policy, its prior over their returns, and the search that chooses among them."""
