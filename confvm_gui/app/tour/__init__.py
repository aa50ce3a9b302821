"""`confvm-gui --tour DIR`: the main job, done through the real window by events on its widgets, with pictures.

`guide` is the way through the window, `vouching` its part about evidence and migration, `hands` what a person does with
mouse and keyboard, `camera` takes the pictures, `record` is what `tour.json` says afterwards.
"""

from confvm_gui.app.tour.guide import take_tour

__all__ = ["take_tour"]
