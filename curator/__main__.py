"""Run the command line as ``python -m curator``."""

from curator.cli.app import main

if __name__ == "__main__":
    main()
