"""The benchmark: the hub beside hand-written SQL and beside ordinary resolvers, on the same store."""
