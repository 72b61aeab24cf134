"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from tinyagent.evaluation.page.comparison import ablation_sections, glance, model_section, retrieval_section
from tinyagent.evaluation.page.details import labelled_section, result_section
from tinyagent.evaluation.page.markup import escaped
from tinyagent.evaluation.page.style import STYLE
from tinyagent.evaluation.study import StudyReport

__all__ = ["render"]


def render(report: StudyReport) -> str:
    """The page."""
    sections = [
        glance(report),
        retrieval_section(report.retrieval),
        model_section(report),
        *ablation_sections(report),
        *([labelled_section(report.labelled)] if report.labelled else []),
        *(result_section(result) for result in report.results),
    ]
    links = "".join(f'<a href="#{section.anchor}">{escaped(section.title)}</a>' for section in sections)
    body = "\n".join(section.html() for section in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>tinyagent evaluation</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>tinyagent evaluation</h1>{_made(report)}<nav>{links}</nav></header>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _made(report: StudyReport) -> str:
    files = "; ".join(
        f"<b>{escaped(cases.name)}</b>, {cases.cases} requests from {escaped(cases.file)}"
        f' <span class="quiet">(SHA-256 {cases.sha256[:12]}…'
        + (f", {cases.faulty_lines} faulty lines left out" if cases.faulty_lines else "")
        + ")</span>"
        for cases in report.cases
    )
    return f"<p>Version {escaped(report.version)}, {escaped(report.made)}. Requests: {files}.</p>"
