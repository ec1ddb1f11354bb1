"""Every operation that apps/export_torch.py knows, each alone: a convolution, the operation, a linear layer over all
elements that come out. Odd sizes, so that no axis can be taken for another.
"""

import operations_elements  # noqa: F401, as the others: they enter what they have
import operations_layers  # noqa: F401
import operations_order  # noqa: F401
from probes import OPERATIONS

__all__ = ["OPERATIONS"]
