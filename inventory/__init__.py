"""The drug inventory of a hospital: what is bought, for which money, where it is kept."""
