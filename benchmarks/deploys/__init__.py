"""What a deploy costs: this project, stock Django, Knex and psql, on generated projects."""
