"""Hide-and-Seek: masks that keep models from learning, and cleaners that give back graded parts."""
