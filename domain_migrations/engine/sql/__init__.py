"""SQL text: queries, tokens and statements."""
