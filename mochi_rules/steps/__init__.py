"""Steps: what each does, its key, how it goes through the cache, and the engines that run it."""
