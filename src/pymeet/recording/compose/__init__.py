"""Makes one film of the tracks of a recording, in a process of its own: `python -m pymeet.recording.compose`.

A process of its own, because decoding and encoding want whole processors while people meet, and because what came from
other people's devices is fed to decoders here: a crash ends one film and nothing else.
"""
