"""Test functions of any dimension, by kind of formula."""
