"""What leaves the house: messages to the receivers that people chose, each kind with its file, all past one guard."""
