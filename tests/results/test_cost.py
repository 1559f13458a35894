"""Costs add up, and say what they count."""

from egregium.results import Cost


def test_costs_add_up() -> None:
    total = Cost(3.0, 1, 0, 0, 0.5) + Cost(5.0, 0, 2, 4, 0.25)
    assert total == Cost(8.0, 1, 2, 4, 0.75)
    assert total.total_products == 7
    assert total.effort == 12


def test_what_it_says() -> None:
    assert str(Cost(33.0, 16, seconds=0.5)) == "33 gradients, 16 HVPs in 0.5 s"
    assert str(Cost(products=48)) == "48 products in 0 s"
