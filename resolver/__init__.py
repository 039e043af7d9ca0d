"""From a query to an answer: the resolution chain and every public door to it."""
