import { html } from '../markup/html.ts';

/** The style of mails: narrow screens first, dark where the reader's program is; readable without it. It holds no text of anybody's. */
export const STYLE = html`
body{margin:0;padding:0;background:#f4f6f8;color:#1b2430;font:16px/1.5 -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
.letter{max-width:40em;margin:0 auto;padding:16px;background:#fff}
.verdict{border-left:6px solid #6b7785;padding:4px 0 4px 14px}
.alarm{border-color:#c0182b}.warning{border-color:#a85b00}.good{border-color:#1c7a3d}
.label{margin:0;font-size:13px;font-weight:bold;letter-spacing:.06em;text-transform:uppercase;color:#55606e}
.alarm .label{color:#b01226}.warning .label{color:#8a4a00}.good .label{color:#166533}
h1{margin:0 0 8px;font-size:22px;line-height:1.25;overflow-wrap:anywhere}
h2{margin:24px 0 6px;font-size:17px;line-height:1.3}
p,li{overflow-wrap:anywhere}
p{margin:0 0 8px}
ul,ol{margin:0;padding-left:24px}
li>ul{margin-top:4px;padding-left:18px}
li{margin:0 0 6px}
pre{margin:4px 0 8px;padding:8px 10px;background:#eef1f5;border-radius:4px;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
a{color:#0b57b7}
.end{margin-top:20px;padding-top:10px;border-top:1px solid #d6dce3;font-size:13px;color:#55606e}
.end+.end{margin-top:0;padding-top:0;border-top:0}
@media (prefers-color-scheme:dark){
body{background:#12161b;color:#e4e8ed}
.letter{background:#1a2027}
.label,.end{color:#a9b4c0}
.alarm{border-color:#ff6b78}.warning{border-color:#f0a545}.good{border-color:#5fc883}
.alarm .label{color:#ff8f99}.warning .label{color:#f3b566}.good .label{color:#7fd69b}
pre{background:#262e37}
a{color:#8cbcff}
.end{border-color:#39434e}
}
`;
