"""The checks that scripts/check runs over the tree. Each module has functions that take a Tree and
return a list of problems, "file:line: text"; the one list of them is in scripts/check."""
