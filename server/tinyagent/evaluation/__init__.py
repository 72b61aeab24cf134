"""How good are plans and tool selections? Cases, scores with intervals, and the runs that make them."""
