"""A network of the tests' own: namespaces whose lines lose, delay, throttle and block as a test wants, and what browsers notice."""
