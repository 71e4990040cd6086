"""The cache that machines share: a tier behind the local one, spoken to by gRPC or HTTP."""
