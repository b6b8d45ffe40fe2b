"""What sessions cost: measured, and held against the paper, a plain transcription and the floor."""
