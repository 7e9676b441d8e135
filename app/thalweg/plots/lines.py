"""Paths as lines within a window: cut off at its border, and as fine as what they lie on."""

import numpy as np

_FAR = 1e150  # windows away: differences and ratios of such places are still finite


def within(path: np.ndarray, n_axes: int, longest: float = np.inf) -> np.ndarray:
    """Return a path as far as it is inside a window, with a row of NaN wherever it is interrupted.

    Args:
        path: `(m, n_axes + k)`: places in shares of the window, 0 to 1 inside of it, and `k` columns that go with
            them. A row with a place that is not finite interrupts the path.
        n_axes: How many of the columns are places.
        longest: How far a segment may go along an axis before it is divided.
    """
    finite = np.isfinite(path[:, :n_axes]).all(axis=1)
    places = np.clip(np.where(finite[:, None], path[:, :n_axes], 0), -_FAR, _FAR)
    begin, end = places[:-1], places[1:]
    enters, leaves = _inside(begin, end)
    drawn = np.flatnonzero(finite[:-1] & finite[1:] & (enters <= leaves))
    if not len(drawn):
        inside = finite & ((places >= 0) & (places <= 1)).all(axis=1)
        return np.asarray(path[inside][:1])
    enters, leaves = enters[drawn], leaves[drawn]
    n_parts = 1 + ((leaves - enters) * np.abs(end - begin)[drawn].max(axis=1) // longest).astype(int)
    goes_on = np.r_[False, (np.diff(drawn) == 1) & (leaves[:-1] == 1) & (enters[1:] == 0)]
    skipped = np.where(goes_on, 1, -1)  # a line that goes on has its first row already; another begins after a gap
    n_rows = n_parts + 1 - skipped
    which = np.repeat(np.arange(len(drawn)), n_rows)
    part = np.arange(n_rows.sum()) - np.repeat(n_rows.cumsum() - n_rows, n_rows) + skipped[which]
    share = np.where(part < 0, np.nan, enters[which] + (leaves - enters)[which] * part / n_parts[which])[:, None]
    columns = np.column_stack([places, path[:, n_axes:]])
    rows: np.ndarray = columns[drawn][which] * (1 - share) + columns[drawn + 1][which] * share
    return rows[1:]


def _inside(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at which shares of their ways segments enter the unit box and leave it, in this order if they meet it.

    Source: Liang and Barsky, "A new concept and method for line clipping", ACM Transactions on Graphics, 1984.
    """
    way = end - begin
    moves = way != 0
    divisor = np.where(moves, way, 1)
    low, high = -begin / divisor, (1 - begin) / divisor
    stays_inside = (begin >= 0) & (begin <= 1)
    enters = np.where(moves, np.minimum(low, high), np.where(stays_inside, 0, 2))
    leaves = np.where(moves, np.maximum(low, high), np.where(stays_inside, 1, -1))
    return np.maximum(enters.max(axis=1), 0), np.minimum(leaves.min(axis=1), 1)


def level(z: np.ndarray, across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Return the heights of a ground `z`, `(n_y, n_x)`, between its points, at shares of its width and depth."""
    column, row = across * (z.shape[1] - 1), along * (z.shape[0] - 1)
    i = np.clip(np.nan_to_num(column), 0, z.shape[1] - 2).astype(int)
    j = np.clip(np.nan_to_num(row), 0, z.shape[0] - 2).astype(int)
    right, up = column - i, row - j
    below = z[j, i] * (1 - right) + z[j, i + 1] * right
    above = z[j + 1, i] * (1 - right) + z[j + 1, i + 1] * right
    return np.asarray(below * (1 - up) + above * up)
