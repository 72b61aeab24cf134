"""The look of the page, light or dark as the reader's system is."""

STYLE = """
:root { --ground: #fcfcfa; --panel: #f3f3ef; --text: #1d2026; --quiet: #646a73; --line: #dcdcd5;
  --first: #1f6f8b; --second: #c2703d; --bad: #a8323e; --good: #2b6e4a; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171b; --panel: #1d2025; --text: #e6e6e2;
  --quiet: #9aa0a9; --line: #33373e; --first: #6cb8d4; --second: #e2996b; --bad: #ee8b94; --good: #7fc49f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.5rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
section { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
p { max-width: 48rem; margin: .5rem 0; }
.quiet { color: var(--quiet); font-size: .875em; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; margin-top: 1rem; font-size: .9rem; }
a { color: var(--first); text-underline-offset: .2em; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 60%; }
th, td { padding: .4rem 1.4rem .4rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--quiet); border-bottom: 1px solid var(--line); vertical-align: bottom; }
tbody tr + tr td { border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
.figure { text-align: right; }
td.figure { white-space: nowrap; }
td .bounds { display: block; color: var(--quiet); font-size: .8125em; line-height: 1.3; }
.paper td, .paper th { color: var(--quiet); }
svg { display: block; width: 100%; max-width: 54rem; height: auto; margin: .5rem 0; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .axis { fill: var(--quiet); font-size: 11px; }
svg .grid { stroke: var(--line); }
svg .s0 { stroke: var(--first); fill: var(--first); }
svg .s1 { stroke: var(--second); fill: var(--ground); }
svg .bar { fill: var(--first); opacity: .75; }
svg .mark { stroke: var(--second); stroke-width: 1.5; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .25rem 0; font-weight: 600; font-size: .95rem; }
.failure { background: var(--panel); border-radius: .5rem; padding: .8rem 1rem; margin: .6rem 0; }
.failure q { quotes: none; white-space: pre-wrap; display: block; }
.failure .differs { color: var(--bad); font-size: .85rem; margin: .3rem 0; }
.failure .pair { display: grid; gap: .5rem 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
.failure pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .78rem;
  line-height: 1.45; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.failure h4 { margin: .3rem 0 .15rem; font-size: .75rem; color: var(--quiet); font-weight: 600; }
"""
