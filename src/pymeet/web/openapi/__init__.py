"""The description of the HTTP API (OpenAPI 3.1), made from the models that the handlers read and from the routes."""
