"""The contract of the API, held against every address there is: one that is new is covered, or a test fails."""
