"""Tables and facts of documents that are no sessions."""

from handmade import mode_path, plane, trajectory

from egregium.report.collection import Collection, Found
from egregium.report.others import facts_of_others, tables


def test_rows_and_facts() -> None:
    documents = (Found("p", "", plane()), Found("t", "", trajectory()), Found("m", "", mode_path()))
    found = Collection("", "", "", None, documents=documents)
    shown = tables(found)
    assert [table.name for table in shown] == ["p", "t", "m"]
    assert shown[1].rows[-1][0] == "&lt;/script&gt;&lt;b&gt;end&lt;/b&gt;"
    assert shown[2].rows[0][1] == "0.01"
    facts = {fact.name: fact.cells for fact in facts_of_others(found)}
    assert facts["Seed"] == ("7",)
    assert facts["Command"] == ("<code>egregium slice mine.py:landscape --plane --seed 7</code>",)
    assert len(facts["Cost"]) == 3
