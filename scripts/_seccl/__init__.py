"""SecCL on a chain: a federation, its audit and its figures."""
