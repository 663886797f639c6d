"""When a host may be requested again: limits, back-off, robots.txt."""
