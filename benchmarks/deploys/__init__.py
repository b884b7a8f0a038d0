"""Cost of a deployment: this project, standard Django, Knex and psql, on generated projects."""
