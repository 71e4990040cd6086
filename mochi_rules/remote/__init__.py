"""The cache that machines share: a tier after the local one, used by gRPC or HTTP."""
