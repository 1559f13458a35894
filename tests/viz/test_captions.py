"""What captions say."""

from drawable import NAN, made, sheet

from egregium.viz.captions import counted, sentence, sheet_clause, slice_caption


def test_counts_in_words() -> None:
    assert [counted(1), counted(2), counted(2, "batch")] == ["1 place", "2 places", "2 batches"]


def test_one_sentence_whatever_the_parts() -> None:
    assert sentence(["One. Two.", "", "three"]) == "One, Two; three."


def test_error_known_unknown_and_none() -> None:
    def clause(half: list[float]) -> str:
        return sheet_clause("scalar_curvature", sheet([0, 1], [], [1, 2], half), "", 0.9)

    assert clause([0.5, 0.25]).endswith("was sampled with random probes at 2 places, each at most ±0.5 (90 %)")
    assert "1 place without an interval" in clause([0.5, NAN])
    assert "its error unknown" in clause([NAN, NAN])
    assert "nothing sampled" in clause([0, 0])


def test_holes_of_contours_are_not_said_to_be_hatched() -> None:
    part = sheet([0, 1], [], [1, NAN])
    assert "hatched" in sheet_clause("loss", part, "colour", 0.9)
    assert "left out" in sheet_clause("loss", part, "contours", 0.9)
    assert slice_caption(made("line", {"loss": part}), [("loss", "")]).startswith("Model, data and the line are fixed")
