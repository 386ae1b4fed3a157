"""Certificates and other secrets of bays: making them, sealing them, keeping them, and signing requests.

A wing that knows of nobody but the database: who calls hands in what else is needed, such as a way to Barbican.
"""
