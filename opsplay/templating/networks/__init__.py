"""IP addresses as filters and tests see them."""
