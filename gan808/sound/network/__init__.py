"""A kit's generator and critic as ONNX Runtime runs them, built from its numbers by code of ours.

weights.py reads and checks the numbers, graph.py makes the graphs, backward.py the generator's
gradient, session.py runs them. training/networks.py has the same networks in Keras.
"""

import os

# ONNX Runtime's packages report what they run to their maker, and keep a number for the machine in
# the user's cache. It looks for this once, when it is loaded: an instrument tells nobody anything.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
