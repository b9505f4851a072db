"""Every kind of request, every fault on its way, and what came of it.

The requests are the clients' own, over real sockets to the simulators. What must come of them
stands in docs/reference/faults.md alone; `python -m tests.faults` prints what does.
"""
