/** The way to the page that is shown, by the tokens of the pages; '' is the first. */
export type PageTokens = readonly string[];

export const FIRST_PAGE: PageTokens = [''];

/** One page on. Until the next page is there a list gives the token of that page once more: this leads nowhere. */
export const pageAfter = (tokens: PageTokens, next: string): PageTokens =>
  next === '' || next === tokens.at(-1) ? tokens : [...tokens, next];

/** One page back; the first stays. */
export const pageBefore = (tokens: PageTokens): PageTokens => (tokens.length > 1 ? tokens.slice(0, -1) : tokens);
