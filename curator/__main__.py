"""Run the command line as ``python -m curator``."""

from curator.cli.app import start

if __name__ == "__main__":
    start()
