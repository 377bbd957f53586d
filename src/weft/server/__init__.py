"""The server that shows an index to clients over gRPC."""
