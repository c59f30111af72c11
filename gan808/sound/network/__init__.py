"""A kit's generator and critic as ONNX Runtime runs them, built from its numbers by code of ours.

weights.py reads and checks the numbers, graph.py makes the graphs, backward.py the generator's
gradient, session.py runs them. training/networks.py has the same networks in Keras.
"""
