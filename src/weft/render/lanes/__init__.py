"""One thread over lanes of lists: layout, geometry, and the picture as SVG."""
