"""What an encoder runs on: torch or ONNX Runtime."""
