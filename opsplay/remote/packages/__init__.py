"""What the package modules share: dpkg's state, apt-get's plans and locks, rpm's state."""
