"""The scenes of the rendered world, drawn behind one function, ``draw_scene``."""
