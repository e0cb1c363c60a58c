"""What python-docx and python-pptx leave out of the Office formats that both read."""

from typing import Any

from lxml import etree

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"


def title(package: Any) -> str:
    """The title in the properties of a package of python-docx or python-pptx, or "".

    Asked for it, they make one up for a file without properties: "Word Document".
    """
    try:
        package.part_related_by(_PROPERTIES)
    except KeyError:
        return ""
    return str(package.core_properties.title).strip()


def choose(root: etree._Element) -> None:
    """Keep the newer of two forms of the same content; the libraries see neither where both are given."""
    etree.strip_elements(root, f"{_MC}Fallback", with_tail=False)
    etree.strip_tags(root, f"{_MC}AlternateContent", f"{_MC}Choice")
