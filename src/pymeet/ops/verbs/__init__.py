"""What the command line can do: one file per group of verbs, each with its table `OPERATIONS`."""
