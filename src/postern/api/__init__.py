"""HTTP: what Postern answers over the network, one file per noun."""
