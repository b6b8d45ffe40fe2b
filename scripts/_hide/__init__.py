"""Hide-and-Seek: masking, cleaning, and the sale of cleaners on a chain."""
