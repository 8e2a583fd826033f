"""Pictures and sentences to send: from the files of a data set, or made up in the same shape.

A data set is read from the directory or file that the user names (`workload: {data: /path}`); nothing is downloaded.
Without one, inputs are synthetic.
"""
