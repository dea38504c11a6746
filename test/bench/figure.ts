/** One line of a table: what was measured, the figure, and the limit it is held to. */
export type Figure = { readonly what: string; readonly value: number; readonly unit: string; readonly limit?: number };

/** The middle value; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
