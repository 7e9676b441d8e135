"""Perm functions: sums of powers whose minima permuting the coordinates almost gives again.

The literature states one global minimum of each. There are more: each is a real solution of n polynomial equations
of degrees 1 to n, which have n! complex ones. For 2 to 5 coordinates all of them were followed by homotopy from
those of an easy system (`tests/unit/test_permutations.py` does it again); the real ones in the domain, polished to
50 digits, are those below. For more coordinates only the literature's minimum is given.
"""

import torch

from thalweg.functions.base import Box, constants, counted, function, row_sum
from thalweg.functions.minima import Minimum, listed

_ALL_MINIMA_TO = 5
_MAX_DIM = 79

_OTHERS_OF_PERM_0: dict[int, tuple[tuple[float, ...], ...]] = {
    2: ((0.4782608695652174, 0.9782608695652174),),
    3: (
        (0.3470967426466707, 0.9835811329810265, 0.43940735141904913),
        (0.44757600802706055, 0.9835167921040097, 0.3544458261375039),
        (1.00020515601018, 0.327241083640468, 0.4926295087335183),
    ),
    4: (
        (0.9999928180788719, 0.500263528545178, 0.24736450575915012, 0.3296079583610468),
        (1.0000383236034676, 0.24767813906866426, 0.49457701843704294, 0.3165194903706901),
        (1.0000465813512578, 0.3228052908025951, 0.4942921242895969, 0.25238284521954263),
        (1.0000900718172185, 0.2521738520002112, 0.30458590782552825, 0.489045679829252),
        (1.0000918166375663, 0.3069541076174769, 0.25407895529096763, 0.48898911715198595),
    ),
    5: (
        (0.9999984792971628, 0.5001510743874601, 0.23920854120927054, 0.20032495056178187, 0.3278184549886372),
        (0.9999986097734718, 0.500141044102026, 0.19910884147843494, 0.23745574251802032, 0.32792405080859294),
        (0.9999991778900261, 0.5000816258705004, 0.24589237922037252, 0.33042566349549746, 0.20065350981968225),
        (0.9999995779567814, 0.5000498737304487, 0.1980085485061305, 0.3307769044389098, 0.24185011322126132),
        (1.0000002786871147, 0.49997715419030525, 0.3335986219913604, 0.198604243467934, 0.2477575282035097),
        (1.0000128482995847, 0.2557319077415346, 0.49525797365229285, 0.3118675121879154, 0.19732735206859087),
        (1.0000128831805188, 0.24938790007073675, 0.495259037420813, 0.19606988365302824, 0.31047939732572144),
        (1.00001331252562, 0.3159023716350195, 0.4952149560081739, 0.2606904129351503, 0.19699321511552756),
        (1.0000133851416562, 0.1929041810347417, 0.4952226145516101, 0.24376447835577092, 0.3111826158804327),
        (1.0000137494942543, 0.3167475124404124, 0.49518073833262066, 0.19535427190279342, 0.2573268356432275),
        (1.0000137819176393, 0.19247752305241445, 0.4951884405877056, 0.3133289629279193, 0.24662641646528555),
        (1.0000291729006117, 0.1878881519300123, 0.26418870322202087, 0.49051962116050457, 0.28510845134220814),
        (1.0000291965974293, 0.18786707240304976, 0.28655164445392955, 0.49051770574143255, 0.2657458695762583),
    ),
}

_OTHERS_OF_PERM: dict[int, tuple[tuple[float, ...], ...]] = {
    2: ((1.7692307692307692, 1.0769230769230769),),
    4: (
        (1.0410874209311263, 1.8825980011088148, 3.987661918329885, 3.051421448147342),
        (1.5522943663850384, 1.2149513628953708, 3.9614061773452973, 3.1388699613929325),
        (1.6212061963490199, 1.1705336231204515, 3.1218888667269313, 3.966951109980284),
    ),
}


def _domain(dim: int) -> Box:
    return ((-float(dim), float(dim)),) * dim


def _perm_0_minima(dim: int) -> tuple[Minimum, ...]:
    return listed([[1 / i for i in range(1, dim + 1)], *_OTHERS_OF_PERM_0.get(dim, ())], 0.0)


def _perm_minima(dim: int) -> tuple[Minimum, ...]:
    return listed([[float(i) for i in range(1, dim + 1)], *_OTHERS_OF_PERM.get(dim, ())], 0.0)


@function(
    title="Perm 0, d, beta",
    domain=_domain,
    minima=_perm_0_minima,
    all_minima_to=_ALL_MINIMA_TO,
    max_dim=_MAX_DIM,
    formula=(
        r"f(x) = \sum_{i=1}^{n} \left[\sum_{j=1}^{n} (j + 10) "
        r"\left(x_j^i - \frac{1}{j^i}\right)\right]^2"
    ),
    source=(
        "A. Neumaier, Some hard global optimization test problems, 1996, "
        "https://www.mat.univie.ac.at/~neum/glopt/my_problems.html (PERM0); with beta = 10 and this domain as "
        "https://www.sfu.ca/~ssurjano/perm0db.html"
    ),
)
def perm_0_d_beta(points: torch.Tensor) -> torch.Tensor:
    """Return Neumaier's PERM0 with beta = 10."""
    n = points.shape[-1]
    weights = counted(points) + 10
    powers, residues = points, []
    for i in range(1, n + 1):
        targets = constants([float(j) ** -i for j in range(1, n + 1)], points)
        residues.append(row_sum(weights * (powers - targets)))
        powers = powers * points
    return row_sum(torch.stack(residues, dim=-1) ** 2)


@function(
    title="Perm d, beta",
    domain=_domain,
    minima=_perm_minima,
    all_minima_to=_ALL_MINIMA_TO,
    max_dim=_MAX_DIM,
    formula=(
        r"f(x) = \sum_{i=1}^{n} \left[\sum_{j=1}^{n} \left(j^i + \frac{1}{2}\right) "
        r"\left(\left(\frac{x_j}{j}\right)^i - 1\right)\right]^2"
    ),
    source=(
        "A. Neumaier, Some hard global optimization test problems, 1996, "
        "https://www.mat.univie.ac.at/~neum/glopt/my_problems.html (PERM); with beta = 0.5 as "
        "https://www.sfu.ca/~ssurjano/permdb.html"
    ),
)
def perm_d_beta(points: torch.Tensor) -> torch.Tensor:
    """Return Neumaier's PERM with beta = 0.5."""
    n = points.shape[-1]
    ratios = points / counted(points)
    powers, residues = ratios, []
    for i in range(1, n + 1):
        weights = constants([float(j) ** i + 0.5 for j in range(1, n + 1)], points)
        residues.append(row_sum(weights * (powers - 1)))
        powers = powers * ratios
    return row_sum(torch.stack(residues, dim=-1) ** 2)
