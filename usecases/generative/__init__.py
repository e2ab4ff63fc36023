"""Flow matching for every sector: the loss, the sampler, and a seeded training loop. Knows nothing of any sector.

Import what you need by module (``generative.flow``, ``generative.training``): this package imports no torch itself,
so that a catalogue can read a use case on a computer without it.
"""
