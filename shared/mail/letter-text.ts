import { type Letter, type Line, type Section, UNSUBSCRIBE } from './parts.ts';

/** The text of a letter: it says all that the HTML does. */
export function letterAsText({ opening, sections, signature, unsubscribeUrl }: Letter): string {
  const end = unsubscribeUrl === undefined ? signature : `${signature}\n${UNSUBSCRIBE} ${unsubscribeUrl}`;
  return `${[opening, ...sections.map(sectionAsText), end].join('\n\n')}\n`;
}

function sectionAsText(section: Section): string {
  const { heading, lines } = section;
  const shown =
    section.code === true ? section.lines.map((line) => `  ${line}`.trimEnd()) : lines.flatMap(lineAsText(section.steps === true));
  return [heading, ...shown].join('\n');
}

function lineAsText(steps: boolean) {
  return (line: Line, index: number): string[] => {
    const mark = steps ? `${index + 1}. ` : '- ';
    if (typeof line === 'string') return [`${mark}${line}`];
    const below = 'code' in line ? line.code.map((each) => `  ${each}`) : line.items.map((each) => `- ${each}`);
    return [`${mark}${line.text}`, ...below.map((each) => `${' '.repeat(mark.length)}${each}`)];
  };
}
