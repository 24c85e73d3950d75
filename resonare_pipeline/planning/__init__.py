"""What is there, what must be made and why, and how one stage is made. No orchestrator here."""
