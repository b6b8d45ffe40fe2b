"""Independent runs of a study: spread over processes or machines, and none of them done twice."""
