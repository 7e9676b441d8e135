"""Test functions of two coordinates, by kind of formula."""
