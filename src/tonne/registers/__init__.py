"""What is so: participants, installations, reports, activity. Facts from documents, kept as they were, never edited."""
