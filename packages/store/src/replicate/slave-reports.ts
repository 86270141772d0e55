import { MillraceError } from "@millrace/format";

/**
 * What a slave says of itself, as its master may believe it. The first report asks for the start, which is no acknowledgement: it is a
 * stranger's number, or where a slave's log is to be compared. The same number again is one only if the slave has nothing else to say,
 * because nothing was sent. No report is beyond what the slave can have. (RocketMQ: `HAConnection.ReadSocketService`, which believes each.)
 */
export class SlaveReports {
  /** What is sent first; undefined before the first report. */
  #start: number | undefined;
  #reported = -1;
  #acknowledged = -1;

  /** Where sending begins; undefined before the first report. */
  get start(): number | undefined {
    return this.#start;
  }

  /** End of the slave's log as it says. -1 before the first report. */
  get reported(): number {
    return this.#reported;
  }

  /** End of what it has acknowledged; -1 while nothing is to be believed. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /**
   * @param minOffset start of the master's log; a slave with nothing begins there
   * @param sent one past the last byte sent on this connection; before the first report the end of the master's log
   * @throws MillraceError `ERR_HA_DIVERGED`, `ERR_HA_START`, `ERR_HA_REPORT`
   */
  report(offset: number, minOffset: number, sent: number): void {
    if (this.#start === undefined) {
      this.#start = startFor(offset, minOffset, sent);
    } else if (!(offset >= this.#reported && offset <= Math.max(sent, this.#start))) {
      const values = `reported=${offset} before=${this.#reported} sent=${sent}`;
      throw new MillraceError("ERR_HA_REPORT", `a slave reports an end that it cannot have: ${values}`);
    } else if (offset > this.#start || (offset === this.#start && sent <= this.#start)) {
      this.#acknowledged = offset;
    }
    this.#reported = offset;
  }
}

function startFor(offset: number, minOffset: number, endOffset: number): number {
  if (!(offset >= 0 && Number.isSafeInteger(offset))) {
    throw new MillraceError("ERR_HA_REPORT", `this is no report: reported=${offset}`);
  }
  if (offset > endOffset) {
    const message = `a slave's log goes on after this one ends: reported=${offset} endOffset=${endOffset}`;
    throw new MillraceError("ERR_HA_DIVERGED", message);
  }
  if (offset === 0) return minOffset;
  if (offset < minOffset) {
    const message = `a slave asks for what has been deleted: reported=${offset} minOffset=${minOffset}`;
    throw new MillraceError("ERR_HA_START", message);
  }
  return offset;
}
