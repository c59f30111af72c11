"""Latent to waveform: kits, their networks on ONNX Runtime, inversion, finishing."""
