"""`python -m jtfne` is the `jtfne` command."""

from jtfne.cli import main

if __name__ == "__main__":
    main()
