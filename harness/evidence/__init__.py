"""What was observed: events, bytes by digest, messages opened, the conversation."""
