"""Tests of a HyperX trading session, and the driver that plays one."""
