"""`python -m node` is `idnode`."""

from node.cli import main

if __name__ == "__main__":
    main()
