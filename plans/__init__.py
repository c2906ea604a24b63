"""Plans: generators of messages that take devices and the agent as arguments."""
