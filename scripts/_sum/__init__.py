"""SUM on a chain: a shared model beside its simulation."""
