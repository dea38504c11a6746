/** The style of every page: the reader's own fonts, light or dark as they have it, from 320 pixels on. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #566173; --paper: #f6f7f9; --card: #fff; --line: #d9dee6; --accent: #1f5fbf; --on-accent: #fff; --good: #1b7a4b; --bad: #b3261e; --soft: #eef2f8; --open: #b3261e; --suspected: #9a5b00; --closed: #1b7a4b; --unsure: #566173; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --dim: #a0aaba; --paper: #11151b; --card: #191f28; --line: #303947; --accent: #8ab4f8; --on-accent: #0d1b30; --good: #6fd3a0; --bad: #ff9c94; --soft: #222a36; --open: #ff9c94; --suspected: #ffc46b; --closed: #6fd3a0; --unsure: #a0aaba; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: break-word; }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 0 2rem; }
.wide header, .wide main, .wide footer { max-width: 76rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1.5rem; padding-top: 1.25rem; padding-bottom: 1.25rem; }
header a { color: var(--ink); text-decoration: none; }
header .brand { font-weight: 700; }
header nav { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.25rem; }
header nav a { color: var(--dim); }
header nav form { margin: 0; }
footer p { margin: 0 0 .35rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:hover, header a:hover { text-decoration: underline; }
main { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 2rem; }
footer { padding-top: 1.25rem; padding-bottom: 2.5rem; color: var(--dim); font-size: .875rem; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 2.25rem 0 .5rem; font-size: 1.15rem; line-height: 1.35; }
h3 { margin: 1.25rem 0 .25rem; font-size: 1rem; }
p, ul, ol, dl, pre { margin: 0 0 1rem; }
main > :last-child, .note > :last-child { margin-bottom: 0; }
ul, ol { padding-left: 1.25rem; }
li { margin: .35rem 0; }
.lead { font-size: 1.125rem; color: var(--dim); }
.hint { color: var(--dim); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.25rem; }
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; }
code, pre, input, textarea { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { font-size: .92em; overflow-wrap: anywhere; }
pre { padding: .8rem 1rem; background: var(--soft); border: 1px solid var(--line); border-radius: 8px; font-size: .875rem; line-height: 1.5; white-space: pre-wrap; word-break: break-all; }
.finding { margin: 0 0 1rem; padding: 0 0 0 1rem; border-left: 3px solid var(--line); }
.record pre { margin: 0 0 .25rem; padding-left: .75rem; }
.copy { position: relative; padding-right: 5.5rem; }
button.copy { position: absolute; top: .4rem; right: .4rem; width: auto; padding: .2rem .7rem; font: .8rem/1.5 system-ui, sans-serif; }
label, legend { display: block; font-weight: 600; margin-bottom: .35rem; }
input, textarea, select { width: 100%; padding: .65rem .8rem; font-size: 1rem; color: inherit; background: var(--paper); border: 1px solid var(--dim); border-radius: 8px; }
input[type=checkbox], input[type=radio] { width: auto; margin: 0 .5rem 0 0; }
label:has(> input[type=checkbox]), label:has(> input[type=radio]) { font-weight: 400; }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; min-width: 0; }
select { font-family: inherit; }
[aria-invalid] { border-color: var(--bad); }
button, .button { display: inline-block; padding: .65rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; text-decoration: none; }
button.quiet, .button.quiet { color: var(--accent); background: transparent; box-shadow: inset 0 0 0 1px var(--line); }
button.danger { background: var(--bad); }
button.link { width: auto; padding: 0; background: none; color: var(--dim); font-weight: 400; }
button.link:hover { text-decoration: underline; }
.act { display: inline-block; margin: 0 .5rem .5rem 0; }
button:hover, .button:hover { filter: brightness(1.08); text-decoration: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { margin: 0 0 1rem; }
form p { margin: .5rem 0 1rem; }
.error { color: var(--bad); font-weight: 600; }
span.error { display: block; }
.note { margin: 0 0 1rem; padding: .9rem 1.1rem; background: var(--soft); border-left: 4px solid var(--accent); border-radius: 4px 8px 8px 4px; }
.note.good { border-left-color: var(--good); }
.note.bad { border-left-color: var(--bad); }
.note p { margin: 0 0 .5rem; }
.dim, .ago { color: var(--dim); }
.ago { white-space: nowrap; font-size: .9em; }
.badge { display: inline-flex; align-items: center; gap: .4rem; padding: .05rem .6rem; border: 1px solid currentColor; border-radius: 99px; font-size: .9rem; font-weight: 600; white-space: nowrap; color: var(--unsure); }
.badge.open { color: var(--open); }
.badge.suspected { color: var(--suspected); }
.badge.closed { color: var(--closed); }
.mark { fill: var(--unsure); vertical-align: -.1em; flex: none; }
.mark.open { fill: var(--open); }
.mark.suspected { fill: var(--suspected); }
.mark.closed { fill: var(--closed); }
.mark .rim { fill: none; stroke: var(--unsure); stroke-width: 1.5; }
.mark.unreachable path { stroke: var(--unsure); stroke-width: 2; }
.shapes { position: absolute; }
.strip { display: block; margin: .5rem 0; }
.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { width: 100%; border-collapse: collapse; font-size: .95rem; }
caption { text-align: left; color: var(--dim); padding: 0 0 .5rem; }
th, td { text-align: left; vertical-align: top; padding: .55rem .75rem .55rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; font-size: .875rem; }
td .hint, th .hint { display: block; font-weight: 400; }
.wide table { font-size: .9rem; }
.hosts td .ago { display: block; }
legend { padding: 0; font-size: 1rem; }
.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1.5rem; margin: 0 0 1rem; }
.head h1 { margin: 0; }
.head .act { margin: 0; }
nav.tabs { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1.5rem; padding: 0 0 .6rem; border-bottom: 1px solid var(--line); }
nav.tabs a { color: var(--dim); text-decoration: none; }
nav.tabs a[aria-current] { color: var(--ink); font-weight: 600; }
nav.trail { margin: 0 0 .75rem; font-size: .9rem; }
details { margin: 0 0 1rem; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 34rem) {
  header, footer { padding-left: 1.25rem; padding-right: 1.25rem; }
  main { padding: 1.5rem 1.25rem; border-left: 0; border-right: 0; border-radius: 0; }
  h1 { font-size: 1.45rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  .record pre { font-size: .8rem; }
  dd { margin-bottom: .75rem; }
  form:not(.act) > button, form:not(.act) > p > button, .button { width: 100%; text-align: center; }
  .strip { max-width: 100%; height: auto; }
  .hosts td .ago { display: inline; }
  table.stacked thead { position: absolute; left: -99rem; }
  table.stacked tr { display: block; padding: .75rem 0; border-bottom: 1px solid var(--line); }
  table.stacked th, table.stacked td { display: block; border: 0; padding: .1rem 0; }
  table.stacked td[data-label]::before { content: attr(data-label) ": "; color: var(--dim); }
}
.timeline { margin: 0 0 1rem; }
.timeline .line, .timeline .axis { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: 1rem; align-items: center; padding: .2rem 0; }
.timeline .line svg { width: 100%; height: 1.25rem; background: var(--soft); }
.timeline .dates { display: flex; justify-content: space-between; color: var(--dim); font-size: .8rem; }
.bar { fill: var(--unsure); }
.bar.open { fill: var(--open); }
.bar.closed { fill: var(--closed); }
.bar.suspected { fill: url(#p-suspected); }
.bar.suspected.solid { fill: var(--suspected); }
.bar.untestable { fill: url(#p-untestable); }
.bar.unreachable { fill: url(#p-unreachable); }
.bar.untestable.solid, .bar.unreachable.solid { fill: var(--unsure); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; font-size: .875rem; }
.legend li { display: flex; align-items: center; gap: .4rem; margin: 0; }
.verdict { font-size: 1.125rem; }
h2.first { margin-top: 0; }
.done { color: var(--good); font-weight: 600; }
.missing { color: var(--suspected); font-weight: 600; }
.legs { padding: 0; list-style: none; }
.legs label { font-weight: 400; }
progress { width: 10rem; max-width: 40%; vertical-align: middle; accent-color: var(--accent); }
pre.transcript { max-height: 24rem; overflow: auto; white-space: pre-wrap; }
pre.transcript .theirs { font-weight: 600; }
.filter { display: flex; flex-wrap: wrap; align-items: end; gap: .5rem 1rem; }
.filter p { margin: 0; }
.filter input, .filter select { width: auto; }
@media (min-width: 60rem) { td[data-label=Leg] code { white-space: nowrap; } }
@media (max-width: 34rem) {
  .timeline .line, .timeline .axis { grid-template-columns: 1fr; gap: 0; }
  .timeline .dates span:nth-child(even) { display: none; }
}
.head h1 { min-width: 0; overflow-wrap: anywhere; }
.timeline .line code { font-size: .8rem; }
main > table, section > table, details > table { margin-bottom: 1rem; }
`;
