/** Answers in the order of the questions, while the next ones are on their way. */
export async function* readAhead<Question, Answer>(
  questions: AsyncIterable<Question> | Iterable<Question>,
  ask: (question: Question) => Promise<Answer>,
  atOnce = 32,
): AsyncIterable<Answer> {
  const asked: Promise<Answer>[] = [];
  for await (const question of questions) {
    const answer = ask(question);
    // It is looked at when its turn comes.
    answer.catch(() => {});
    asked.push(answer);
    if (asked.length >= atOnce) yield await asked.shift()!;
  }
  while (asked.length > 0) yield await asked.shift()!;
}
