/** What is wrong with one field of the input. */
export type FieldError = { readonly field: string; readonly message: string };

/**
 * An expected failure of a request, thrown by whoever finds it. `status` is that of HTTP; the API answers it as problem+json (RFC 9457),
 * the pages as a page.
 */
export class Problem extends Error {
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, detail: string, errors?: FieldError[], headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

/** The problem of input that was understood and is not valid, field by field. */
export function invalid(errors: FieldError[]): Problem {
  return new Problem(422, 'Some of the input is not valid; see errors.', errors);
}
