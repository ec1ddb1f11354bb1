"""What export_torch.py, import_torch.py and the package topograd are made of."""
