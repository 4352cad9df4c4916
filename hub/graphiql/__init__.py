"""The page on which a person asks the hub: GraphiQL, served by the hub itself, without any other origin."""
