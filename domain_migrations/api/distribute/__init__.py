"""The function of ``distribute_domain``: domains onto the nodes of a Citus cluster."""
