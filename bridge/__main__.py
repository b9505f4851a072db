"""`python -m bridge` is `tribridge`."""

from bridge.cli import main

main()
