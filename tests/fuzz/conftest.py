"""What is not called `test_...` here are scripts, run by hand; they import each other as scripts do."""

collect_ignore_glob = ["[!t]*.py", "te[!s]*.py", "tr*.py"]
