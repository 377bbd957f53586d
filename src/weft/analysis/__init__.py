"""Reports about several lists: what each lacks of its own threads, and what a single master copy would know."""
