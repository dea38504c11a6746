/** What somebody says of a server. `unknown`: could not tell. */
export type Answer = 'open' | 'closed' | 'unknown';

/** How often somebody was right of a server, how often wrong in which way, and how often they could not tell. */
export type Count = { readonly right: number; readonly wrongOpen: number; readonly wrongClosed: number; readonly unknown: number };

/** Counts the answers of one who was asked. */
export function countAnswers<Who extends string>(answers: readonly ({ readonly truth: Answer } & Record<Who, Answer>)[], who: Who): Count {
  const count = (meets: (said: Answer, truth: Answer) => boolean) => answers.filter((each) => meets(each[who], each.truth)).length;
  return {
    right: count((said, truth) => said === truth),
    wrongOpen: count((said, truth) => said === 'open' && truth === 'closed'),
    wrongClosed: count((said, truth) => said === 'closed' && truth === 'open'),
    unknown: count((said) => said === 'unknown'),
  };
}
