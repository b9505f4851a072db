"""One folder for each network; each knows nothing of the others, nor of the store."""
