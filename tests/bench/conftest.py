"""The benchmarks in this folder are run by hand; they contain no tests and import each other as scripts."""

collect_ignore_glob = ["*.py"]
