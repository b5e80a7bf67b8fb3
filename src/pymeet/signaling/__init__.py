"""Signaling: the WebSocket by which browsers take part in a meeting, as docs/protocol.md section 1 says it."""
