"""Test functions of one, three, four or six coordinates, by the kind of formula."""
