"""Fields, expressions and indexes exactly as a database has them."""
