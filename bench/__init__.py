"""The bench: opsplay beside its peers and one hand-written script, on hosts of the bench's own."""
