"""The XML of WebDAV (RFC 4918): requests for properties, and answers read without trusting them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError, SubElement, TreeBuilder, XMLParser, tostring

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CARDDAV = "{urn:ietf:params:xml:ns:carddav}"
CALENDARSERVER = "{http://calendarserver.org/ns/}"


@dataclass(frozen=True)
class Resource:
    """One resource of an answer, with the properties that the server has for it."""

    url: str
    found: bool
    properties: Mapping[str, Element]

    def text(self, name: str) -> str:
        element = self.properties.get(name)
        return (element.text or "").strip() if element is not None else ""

    def hrefs(self, name: str) -> list[str]:
        """The addresses inside a property, as they are written."""
        element = self.properties.get(name)
        found = element.iter(f"{DAV}href") if element is not None else ()
        return [text for href in found if (text := (href.text or "").strip())]

    def names(self, name: str) -> set[str]:
        """The names of all elements inside a property."""
        element = self.properties.get(name)
        return {inner.tag for inner in element.iter()} - {name} if element is not None else set()


def asking_for(root: str, names: Iterable[str], hrefs: Iterable[str] = ()) -> bytes:
    """A request for these properties of a resource, or of the resources at `hrefs`."""
    request = Element(root)
    properties = SubElement(request, f"{DAV}prop")
    for name in names:
        SubElement(properties, name)
    for href in hrefs:
        SubElement(request, f"{DAV}href").text = href
    return tostring(request, encoding="utf-8", xml_declaration=True)


def resources(content: bytes, base: str) -> list[Resource]:
    """The resources of a multistatus answer. Raises ValueError when it is none."""
    parser = XMLParser(target=_WithoutDoctype())  # noqa: S314 - the target refuses what could grow
    try:
        parser.feed(content)
        root = parser.close()
    except ParseError:
        raise ValueError("no XML") from None
    if root.tag != f"{DAV}multistatus":
        raise ValueError("no multistatus")
    return list(_resources(root, base))


def _resources(root: Element, base: str) -> Iterator[Resource]:
    for response in root.findall(f"{DAV}response"):
        href = (response.findtext(f"{DAV}href") or "").strip()
        status = response.findtext(f"{DAV}status")
        properties = {
            element.tag: element
            for part in response.findall(f"{DAV}propstat")
            if _is_success(part.findtext(f"{DAV}status"))
            for element in part.findall(f"{DAV}prop/*")
        }
        if href:
            yield Resource(urljoin(base, href), status is None or _is_success(status), properties)


def _is_success(status: str | None) -> bool:
    return (status or "").split()[1:2] == ["200"]


class _WithoutDoctype(TreeBuilder):
    """A document type could declare entities that grow without bound; WebDAV has none."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("a document type")
