"""Which pictures a page has."""

from dataclasses import replace

import egregium as eg
from egregium.report.pictures import MOST_POINTS, plates


def test_each_point_has_the_pictures_there_is_something_to_draw_for(session: eg.Session) -> None:
    assert [(plate.title, plate.point) for plate in plates(session)] == [
        ("Scalar curvature <i>R</i> at each point", ""),
        ("What <i>R</i> is made of", ""),
        ("Scalar curvature <i>R</i> and loss, from point to point", ""),
        ("Spectrum of <i>H</i>", "sampled"),
        ("How the estimate of <i>R</i> came about", "sampled"),
        ("How the estimate of <i>R</i> came about", "poor"),
    ]


def test_a_single_point_is_not_named_again(session: eg.Session, sampled: eg.Measurement) -> None:
    assert {plate.point for plate in plates(replace(session, measurements={"sampled": sampled}))} == {""}


def test_a_long_sweep_draws_the_first_points_only(session: eg.Session, sampled: eg.Measurement) -> None:
    bare = replace(sampled, density=None)
    many = replace(session, measurements={str(i): bare for i in range(MOST_POINTS + 3)})
    points = [plate.point for plate in plates(many)[3:]]
    assert points == [str(i) for i in range(MOST_POINTS)]
