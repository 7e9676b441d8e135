"""Test functions of the plane, by the kind of formula."""
