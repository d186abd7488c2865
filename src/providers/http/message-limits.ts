/** The most bytes one line, or the data of one event, may have. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;
