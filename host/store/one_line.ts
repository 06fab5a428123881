/**
 * What strangers wrote, fit for an error and a log: a service says what it likes, as long as it likes.
 *
 * @module
 */

/** Characters that are kept. */
const MOST = 240;

/** `text` in one line without control characters (Unicode's category C), at most 240 characters and an ellipsis. */
export function oneLine(text: string): string {
  const line = text.slice(0, 4 * MOST).replaceAll(/\p{C}+/gu, " ");
  return line.length > MOST ? `${line.slice(0, MOST)}…` : line;
}
