"""The slow reference: naive resolvers over plain rows, which ask the policy cell by cell."""
