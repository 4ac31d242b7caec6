"""The scripts beside this file are run by hand: they hold no tests, and import each other as scripts do."""

collect_ignore_glob = ["*.py"]
