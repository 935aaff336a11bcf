"""The commands of LaTeX that the reader knows, by what they do; unknown ones are refused.

Read by `parser` and `statements`.
"""

from __future__ import annotations

FONTS = {
    r"\mathbf", r"\boldsymbol", r"\bm", r"\mathcal", r"\mathscr", r"\mathit", r"\mathsf",
    r"\mathtt", r"\mathbb", r"\mathfrak", r"\pmb", r"\symbf", r"\bf", r"\textbf", r"\textit",
    r"\mathnormal", r"\cal", r"\bb", r"\vb", r"\vb*", r"\symbfit", r"\mathbfit", r"\emph",
}  # fmt: skip
ACCENTS = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde",
    r"\bar": "bar", r"\overline": "bar", r"\vec": "vec", r"\overrightarrow": "fwd",
    r"\overleftarrow": "bwd", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check",
    r"\underline": "line", r"\breve": "breve", r"\va": "vec", r"\Tilde": "tilde", r"\Hat": "hat",
    r"\Bar": "bar", r"\Dot": "dot", r"\Vec": "vec",
}  # fmt: skip
#: functions that are written as commands or words, and what they are called here
FUNCTIONS = {
    "tanh": "tanh", "sigmoid": "sigmoid", "sigm": "sigmoid", "sigma": "sigmoid",
    "logistic": "sigmoid", "Logistic": "sigmoid",
    "softmax": "softmax", "Softmax": "softmax", "relu": "relu", "ReLU": "relu", "RELU": "relu",
    "Tanh": "tanh", "Sigmoid": "sigmoid", "th": "tanh", "sech": "sech", "cosh": "cosh",
    "sinh": "sinh", "coth": "coth", "exp": "exp", "log": "log", "ln": "log", "diag": "diag",
    "Diag": "diag", "max": "max", "min": "min", "sup": "max", "vec": "vec", "tr": "trace",
    "Tr": "trace", "trace": "trace", "softplus": "softplus", "concat": "concat", "sign": "sign",
    "prod": "chain", "det": "det", "abs": "abs", "norm": "norm", "detach": "detach",
    "logsoftmax": "logsoftmax", "sin": "sin", "cos": "cos", "step": "step",
    "stopgrad": "detach", "rank": "rank", "identity": "identity", "id": "identity",
    "sum": "total", "sgn": "sign", "dim": "dim", "argmax": "argmax", "arg": "arg",
    "Var": "var", "Pr": "Pr", "transpose": "transpose", "Concat": "concat",
    "CrossEntropy": "crossentropy", "CE": "crossentropy", "crossentropy": "crossentropy",
    "Crossentropy": "crossentropy", "CrossEntropyLoss": "crossentropy",
}  # fmt: skip
WORDS = {r"\text", r"\textrm", r"\mathrm", r"\operatorname", r"\operatorname*", r"\mbox",
         r"\textsf",
         r"\texttt", r"\textnormal", r"\hbox", r"\mathop", r"\rm", r"\textsc",
         r"\mathrm*"}  # fmt: skip
DROPPED_WITH_GROUP = {r"\label", r"\tag", r"\tag*", r"\hspace", r"\hspace*", r"\vspace",
                      r"\phantom", r"\mspace", r"\hphantom", r"\eqref", r"\ref", r"\vspace*",
                      r"\color", r"\cite",
                      r"\footnote", r"\intertext", r"\shortintertext"}  # fmt: skip
KEPT_GROUP = {r"\boxed", r"\fbox", r"\mathbin", r"\mathrel", r"\mathord", r"\ensuremath", r"\qty",
              r"\smash", r"\mathclap", r"\mathrlap", r"\mathllap", r"\cancel", r"\bcancel",
              r"\substack", r"\mathinner"}  # fmt: skip
BIG = {r"\sum": "sum", r"\prod": "prod", r"\Sigma": "sum", r"\Pi": "prod", r"\max": "max",
       r"\min": "min",
       r"\sup": "max"}  # fmt: skip
RELATIONS = {
    "=": "=", r"\neq": "≠", r"\ne": "≠", "<": "<", ">": ">", r"\lt": "<", r"\gt": ">",
    r"\leq": "≤", r"\le": "≤", r"\leqslant": "≤", r"\geq": "≥", r"\ge": "≥", r"\geqslant": "≥",
    r"\approx": "≈", r"\simeq": "≈", r"\equiv": "=", r"\triangleq": ":=", r"\coloneqq": ":=",
    r"\eqqcolon": "=:", r"\eqcolon": "=:",
    r"\doteq": ":=", r"\propto": "∝", r"\in": "∈", r"\leftarrow": "←", r"\gets": "←",
    r"\sim": "~", r"\ll": "≪", r"\gg": "≫", r"\to": "→", r"\rightarrow": "→", r"\mapsto": "→",
    r"\longrightarrow": "→", r"\subset": "⊂", r"\subseteq": "⊂", r"\cong": "≈", r"\notin": "∉",
    r"\lesssim": "≲", r"\gtrsim": "≳", r"\longleftarrow": "←", r"\nrightarrow": "↛",
    r"\leftrightarrow": "↔", r"\rightsquigarrow": "→", r"\longmapsto": "→", r"\hookrightarrow": "→",
}  # fmt: skip
#: words below the bar of a derivative that make it an immediate partial
IMMEDIATE = ("partial", "direct", "explicit", "immediate", "local", "fix", "const", "frozen")
IMPLICATIONS = {r"\Rightarrow", r"\implies", r"\iff", r"\Leftrightarrow", r"\Longrightarrow",
                r"\land", r"\wedge", r"\therefore", r"\because", r"\impliedby", r"\Leftarrow",
                r"\forall", r"\exists", r"\lor", r"\vee", r"\Longleftrightarrow"}  # fmt: skip
FRACTIONS = {r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\nicefrac", r"\sfrac"}
SPACES = {r"\quad", r"\qquad", r"\enspace", r"\enskip"}
OPERATORS = {
    r"\cdot": "·", r"\times": "×", "*": "*", r"\odot": "⊙", r"\circ": "⊙", r"\otimes": "⊗",
    "/": "/", r"\ast": "*", r"\bullet": "·", r"\div": "/", r"\star": "*", r"\cdotp": "·",
    r"\oslash": "⊘", r"\oplus": "⊕", r"\bigodot": "⊙", r"\bigotimes": "⊗", r"\bigoplus": "⊕",
}  # fmt: skip
DOTS = {r"\cdots", r"\ldots", r"\dots", r"\dotsb", r"\dotsc", r"\dotsm", r"\vdots", r"\ddots",
        r"\dotsi", r"\hdots"}  # fmt: skip
OPENING = {"(": ")", "[": "]", r"\{": r"\}", r"\lbrace": r"\rbrace", r"\langle": r"\rangle",
           r"\lvert": r"\rvert", r"\lVert": r"\rVert", "|": "|", r"\|": r"\|", r"\Vert": r"\Vert",
           r"\vert": r"\vert", r"\lceil": r"\rceil", r"\lfloor": r"\rfloor",
           r"\lbrack": r"\rbrack", r"\parallel": r"\parallel", r"\llbracket": r"\rrbracket",
           r"\lgroup": r"\rgroup"}  # fmt: skip
KINDS = {r"\{": "{", r"\lbrace": "{", r"\langle": "<", r"\lvert": "|", r"\vert": "|",
         r"\lVert": "‖", r"\|": "‖", r"\Vert": "‖", r"\parallel": "‖", r"\lceil": "⌈",
         r"\lfloor": "⌊", r"\lbrack": "[", r"\llbracket": "[", r"\lgroup": "("}  # fmt: skip
CLOSING = {*OPENING.values(), "}"} - {"|", r"\|", r"\Vert", r"\vert", r"\parallel"}
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta",
    "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "varrho", "sigma",
    "varsigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell", "mathscr",
    "hbar", "infty", "imath", "jmath", "aleph", "emptyset", "Re", "Im", "wp", "top", "bot",
    "intercal", "dagger", "prime", "perp",
}  # fmt: skip
LAYOUTS = {"aligned", "align", "split", "gathered", "gather", "equation", "multline", "eqnarray",
           "alignedat", "alignat", "displaymath", "math", "flalign", "multlined", "subequations",
           "IEEEeqnarray", "empheq", "dmath"}  # fmt: skip
TABLES = {"matrix", "bmatrix", "pmatrix", "vmatrix", "Vmatrix", "Bmatrix", "smallmatrix", "array",
          "cases", "dcases", "rcases"}  # fmt: skip


#: bars that may stand between parts
BARS = {"|", r"\vert", r"\mid"}
#: words between formulas
CONJUNCTIONS = {
    "and", "or", "if", "where", "when", "for", "with", "so", "thus", "hence", "then", "since",
    "otherwise", "as", "which", "is", "are", "because", "that", "iff", "such that", "for all",
    "for every", "so that", "e.g.", "i.e.", "but", "else", "given", "let", "by", "from", "to", "in",
}  # fmt: skip
