"""The boundary between domains: the rule, on models, migrations and schemas."""
