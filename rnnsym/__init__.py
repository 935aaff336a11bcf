"""rnnsym: derive, verify and generate the mathematics of recurrent neural networks.

>>> import rnnsym as rs
>>> d = rs.elman().derive("W_aa")
>>> d
<Derivation of dL/dW_aa: 34 steps>
"""

from importlib.metadata import version as _version

from rnnsym.api import Derivation, Network, check, elman, gru, lstm, model, read, verify
from rnnsym.audit import Audit, audit
from rnnsym.claims.verdict import Verdict
from rnnsym.codecheck import Adapter, check_gradient
from rnnsym.errors import InputError, NotSupportedError, RnnsymError, UnavailableError
from rnnsym.flow import Flow, flow, lyapunov
from rnnsym.nodes import T, TimeVector, t
from rnnsym.registry import register_function
from rnnsym.torch_weights import from_torch, gradients_from_torch, to_torch

__version__ = _version("rnnsym")

__all__ = [
    "Adapter",
    "Audit",
    "Derivation",
    "Flow",
    "InputError",
    "Network",
    "NotSupportedError",
    "RnnsymError",
    "T",
    "TimeVector",
    "UnavailableError",
    "Verdict",
    "__version__",
    "audit",
    "check",
    "check_gradient",
    "elman",
    "flow",
    "from_torch",
    "gradients_from_torch",
    "gru",
    "lstm",
    "lyapunov",
    "model",
    "read",
    "register_function",
    "t",
    "to_torch",
    "verify",
]
