"""Training of the bundled models: data, network, export. A script a stage; needs the `train` extra."""
