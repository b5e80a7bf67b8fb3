"""pymeet: a self-hostable video meeting server. See docs/architecture.md for the plan of the house."""

__version__ = "0.1.0"
