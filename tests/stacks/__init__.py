"""Independent WebRTC stacks publish and play through a real server."""
