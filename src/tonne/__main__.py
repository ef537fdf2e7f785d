"""`python -m tonne` is `tonne`."""

from tonne.interfaces.cli import main

main()
