"""What happens live in a meeting. `room.py` is the pure state; `live.py` and `registry.py` are the asyncio rim around it."""
