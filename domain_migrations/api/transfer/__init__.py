"""``transfer_model``: a model moves to another domain, in the code and by a pair of migrations."""
