"""Who is at the other end: keys, certificates and addresses, for clients and for peers."""
