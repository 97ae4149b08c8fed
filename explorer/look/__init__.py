"""How things look, said once for canvas, panels and window: colours, type, icons, and numbers as text."""
