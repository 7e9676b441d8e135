"""The page at `/`: static HTML, CSS and ES modules, and the router that serves them."""
