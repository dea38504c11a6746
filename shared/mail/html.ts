import { html as escaped } from 'hono/html';

/** Markup in which every value was escaped. */
export type Html = Exclude<ReturnType<typeof escaped>, Promise<unknown>>;

/** Writes markup, every value in it escaped unless it is markup itself. Its values are at hand: one that is still to come is a defect. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  const markup = escaped(strings, ...values);
  if (markup instanceof Promise) throw new Error('a mail cannot wait for its words');
  return markup;
}
