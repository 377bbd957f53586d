"""The exchange over gRPC: sessions with other servers, who calls whom, and what is remembered of them."""
