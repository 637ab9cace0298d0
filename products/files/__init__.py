"""Products as files: CSV, XLSX and JSON lines, in and out."""
