"""Values of made-up persons, and the fields of every door into which they are put."""
