"""The engines that run steps: in this process, in workers, and when each is made."""
