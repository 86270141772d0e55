/** How long the other side is waited for without the event loop, again and again: an answer that is quick comes within it. */
export const QUICK_MS = 2;
/** Of that, how long before who can wait has its turn. */
export const IDLE_MS = 1;
/** How long that may go on before the event loop has a turn. */
export const DIRECT_TURN_MS = 5;
