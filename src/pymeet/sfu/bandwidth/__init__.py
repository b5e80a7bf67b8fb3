"""How much each receiver's path carries, and who gets it. Pure machines: what was sent and what arrived goes in, numbers come out."""
