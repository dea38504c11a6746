/** The style of every page: the reader's own fonts, light or dark as they have it, from 320 pixels on. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #566173; --paper: #f6f7f9; --card: #fff; --line: #d9dee6; --accent: #1f5fbf; --on-accent: #fff; --good: #1b7a4b; --bad: #b3261e; --soft: #eef2f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --dim: #a0aaba; --paper: #11151b; --card: #191f28; --line: #303947; --accent: #8ab4f8; --on-accent: #0d1b30; --good: #6fd3a0; --bad: #ff9c94; --soft: #222a36; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: break-word; }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 0 2rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1.5rem; padding-top: 1.25rem; padding-bottom: 1.25rem; }
header a { color: var(--ink); text-decoration: none; }
header .brand { font-weight: 700; }
header nav a { color: var(--dim); }
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
code, pre, input { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { font-size: .92em; overflow-wrap: anywhere; }
pre { padding: .8rem 1rem; background: var(--soft); border: 1px solid var(--line); border-radius: 8px; font-size: .875rem; line-height: 1.5; white-space: pre-wrap; word-break: break-all; }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input { width: 100%; padding: .65rem .8rem; font-size: 1rem; color: inherit; background: var(--paper); border: 1px solid var(--dim); border-radius: 8px; }
input[aria-invalid] { border-color: var(--bad); }
button, .button { display: inline-block; padding: .65rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; text-decoration: none; }
button:hover, .button:hover { filter: brightness(1.08); text-decoration: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { margin: 0 0 1rem; }
form p { margin: .5rem 0 1rem; }
.error { color: var(--bad); font-weight: 600; }
.note { margin: 0 0 1rem; padding: .9rem 1.1rem; background: var(--soft); border-left: 4px solid var(--accent); border-radius: 4px 8px 8px 4px; }
.note.good { border-left-color: var(--good); }
.note p { margin: 0 0 .5rem; }
@media (max-width: 34rem) {
  header, footer { padding-left: 1.25rem; padding-right: 1.25rem; }
  main { padding: 1.5rem 1.25rem; border-left: 0; border-right: 0; border-radius: 0; }
  h1 { font-size: 1.45rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .75rem; }
  button, .button { width: 100%; text-align: center; }
}
`;
