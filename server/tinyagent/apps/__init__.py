"""What a desktop can do: protocols, and the systems that implement them."""
