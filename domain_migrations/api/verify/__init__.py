"""What the live catalog tells of the rule, cut by where it is looked for."""
