"""What happens when services stop, hang and come back, and when workers die."""
