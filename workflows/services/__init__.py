"""Everything that changes workflows and their executions."""
