"""One vector per molecule: `ExLM`, and the same vectors inside DeepChem and scikit-learn."""
