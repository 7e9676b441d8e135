"""Test functions of one, three, four or six coordinates, by kind of formula."""
