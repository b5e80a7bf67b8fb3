"""What lasts of meetings: rooms, who attended, what was written."""
