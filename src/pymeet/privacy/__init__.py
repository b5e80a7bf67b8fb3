"""What should be gone is gone, what people ask for is handed over, and both can be proved: all from the inventory."""
