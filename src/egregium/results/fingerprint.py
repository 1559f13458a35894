"""By what two documents tell whether they speak of the same data, the same point and the same model."""

from dataclasses import dataclass

from egregium.results.document import Document


@dataclass(frozen=True)
class Fingerprint:
    """Digests of what was measured, each the first 16 hexadecimal digits of a SHA-256.

    Attributes:
        samples, batches: how many there are in a pass; 0 for a plain function.
        data: of the batches, in the order and in the form in which a pass fetches them; "" for a plain function, and
            where a batch holds an object whose content cannot be seen.
        point: of theta's bytes, in the dtype of the measurement; of x and D in normalised coordinates.
        model: its class, and a digest of the names and shapes of the parameters; "function" for a plain function.
        rest: of the tensors that theta leaves out: buffers, frozen parameters; "" where not known.
        loss: torch's loss function with its options; "" for a loss of the user's own, whose content cannot be seen.
    """

    samples: int
    batches: int
    data: str
    point: str
    model: str
    rest: str = ""
    loss: str = ""


Document.register(Fingerprint)
