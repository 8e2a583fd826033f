"""Pictures to send: from the standard files of a data set, or made up in the same shape.

A data set is read from the directory that the user names (`workload: {data: /path}`); nothing is downloaded. Without
one, inputs are synthetic: of the same shape, and of no meaning.
"""
