"""Predictions as one page for a browser: structures, numbers, filters, pictures; nothing is loaded from elsewhere."""
