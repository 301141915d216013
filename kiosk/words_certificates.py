"""Texts of the pages "能不能开证明"; what a document is called and where to go is data/certificates.yaml's."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "cert_title": ("能不能开证明", "Can the community certify it?"),
    "cert_ask": (
        "点您要开的证明，看社区能不能开、该去哪里",
        "Touch the paper you need: see whether we may issue it, or who does",
    ),
    "cert_no": ("社区不能开的证明", "Not issued by the community"),
    "cert_may": ("社区可以开的证明", "Issued by the community"),
    "cert_none": ("还没有登记证明种类，请到窗口问", "No documents are listed yet: please ask at the window"),
    "cert_here": ("社区可以开", "The community may issue it"),
    "cert_not_here": ("社区不能开", "The community may not issue it"),
    "cert_where": ("请到", "Go to"),
    "cert_source": (
        "依据：民发〔2020〕20号，首批 20 项不应出具的证明",
        "Basis: Min Fa (2020) No. 20, the first 20 documents that communities must not issue",
    ),
    "cert_take": ("去取号", "Take a number"),
    "cert_ask_window": ("还是想到窗口问", "Ask at the window all the same"),
}
