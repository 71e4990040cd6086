"""The Remote Execution API v2 by gRPC: its messages, the cache and executions."""
