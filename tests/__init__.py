"""Tests of the hub, on real servers, sockets and files."""
