"""What the service modules share: one file a service manager, each with the same four questions and verbs."""
