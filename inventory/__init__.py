"""The drug inventory of a hospital: budgets, purchases and stock."""
