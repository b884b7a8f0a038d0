"""Other migration tools: how their histories are recognised and read.

``tool`` says what a :class:`~.tool.HistoryTool` tells about a tool, as data; ``node`` and its
neighbours have one for each tool, and ``tools`` finds them. ``rows`` reads a history.

A tool is added in three steps: run it, and look at its table; write a ``HistoryTool`` of what was
seen into the module of its kind; name it in ``TOOLS``. Nothing else knows any tool by its name.
"""
