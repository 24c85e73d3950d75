"""Answers that were paid for, in a database that processes and machines share."""
