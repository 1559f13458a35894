"""The document inside the page can be taken out and read again."""

from base64 import b64decode
from pathlib import Path

import handmade
import pytest
import torch

import egregium as eg
from egregium.report import document
from egregium.report.document import all_embedded, embedded


def taken_out(href: str, folder: Path) -> eg.Session:
    head, _, body = href.partition(",")
    assert head == "data:application/json;base64"
    path = folder / "result.json"
    path.write_bytes(b64decode(body, validate=True))
    return eg.load(path)


def test_round_trip(session: eg.Session, tmp_path: Path) -> None:
    found = embedded(session)
    back = taken_out(found.href, tmp_path)
    assert not found.reduced
    assert found.kilobytes == round((tmp_path / "result.json").stat().st_size / 1000)
    assert (back.title, back.command, back.created, back.remarks) == (
        session.title,
        session.command,
        session.created,
        session.remarks,
    )
    assert list(back.measurements) == list(session.measurements)
    for name, m in session.measurements.items():
        assert back.measurements[name].rows() == m.rows()
        assert torch.equal(back.measurements[name].scalar_curvature.samples, m.scalar_curvature.samples)
    assert torch.equal(back.measurements["sampled"].density.density, session.measurements["sampled"].density.density)


def test_too_large_a_document_keeps_its_numbers(
    session: eg.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = embedded(session)
    monkeypatch.setattr(document, "LIMIT", len(whole.href) - 100)
    found = embedded(session)
    back = taken_out(found.href, tmp_path)
    assert found.reduced
    assert len(found.href) < len(whole.href) / 4
    for name, m in session.measurements.items():
        assert back.measurements[name].rows() == m.rows()
        assert len(back.measurements[name].terms["trace"].samples) == 0


def test_of_many_documents_the_largest_are_reduced_first_then_left_out(
    session: eg.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = handmade.plane()
    large, small = all_embedded([session, shown])
    assert not large.reduced
    monkeypatch.setattr(document, "LIMIT", len(large.href))
    large, same = all_embedded([session, shown])
    assert (large.reduced, same) == (True, small)
    assert large.href
    monkeypatch.setattr(document, "LIMIT", 10)
    assert [found.href for found in all_embedded([session, shown])] == ["", ""]
