"""Files here not named `test_...` are scripts, run by hand; they import each other as top-level modules."""

collect_ignore_glob = ["[!t]*.py", "te[!s]*.py", "tr*.py"]
