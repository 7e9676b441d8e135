"""Test functions of any dimension, by the kind of formula."""
