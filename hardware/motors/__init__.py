"""Motor buses: one file a device family; each speaks the maker's published protocol through the maker's own library."""
