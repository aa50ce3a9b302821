"""The figures of `confvm bench`: one module each, measured against a reference in the same run.

`figure` says what a figure is; `registry` knows them by name; `window_probe` is the process that the figure `start-up`
starts. Nothing is imported here: the probe must not pay for what it does not measure.
"""
