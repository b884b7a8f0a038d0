"""The project's source as commands edit it: changes of files, syntax, mentions, planned code."""
