"""Facts of a Linux host, one file a family; each has `collect(system)`, which gives keys without the ansible_ prefix."""
