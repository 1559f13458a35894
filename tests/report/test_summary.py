"""The cards of the summary."""

from handmade import mode_path, plane, trajectory

from egregium.report.cautions import cautions
from egregium.report.collection import Collection, Found
from egregium.report.summary import cards


def test_a_card_for_each_document_with_a_number() -> None:
    documents = (Found("p", "", plane()), Found("t", "", trajectory()), Found("m", "", mode_path()))
    found = Collection("", "", "", None, documents=documents)
    shown = cards(found, cautions(found))
    assert [(card.name, card.value) for card in shown] == [("p", "0.31"), ("m", "0.01")]
    assert "R</i> −38 to 56, each at most ± 1.4" in shown[0].says
    assert [len(card.warnings) for card in shown] == [0, 1]
