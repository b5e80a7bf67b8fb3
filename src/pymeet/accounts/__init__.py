"""People with an account: who they are, how they sign in, and which browsers are signed in."""
