"""References that many entries of the catalogue cite."""

SURVEY = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
    "International Journal of Mathematical Modelling and Numerical Optimisation 4 (2), 2013, pp. 150-194, "
    "https://arxiv.org/abs/1308.4008"
)
