"""Pictures of jobs, for slides and papers: with matplotlib as PNG and SVG, with Plotly as an HTML file."""
