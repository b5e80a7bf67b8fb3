"""HTTP: the pages, the API, WHIP and WHEP, and the door to the signaling WebSocket."""
