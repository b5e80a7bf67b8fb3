"""Recordings of meetings: taking, keeping, showing, and taking one person out again."""
