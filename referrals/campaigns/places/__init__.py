"""Places under limits: who waits for one, and how a free one is offered down the queue."""
